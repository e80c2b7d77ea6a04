"""A project's servers start only after a yes to this content, these scripts and these variables."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from chatglass.config.errors import ConfigError
from chatglass.tools.mcp.config_file import McpFile, find_servers, read_file
from chatglass.tools.mcp.events import ProjectIgnored
from chatglass.tools.mcp.ports import McpPorts
from chatglass.tools.mcp.servers import McpOptions, McpServers
from chatglass.tools.mcp.trust import (
    Grant,
    TrustAnswer,
    TrustQuestion,
    TrustStore,
    question_text,
    script_hashes,
)
from chatglass.tools.tool_manager import ToolManager
from mcp_servers.running import OWN_SERVER

ENVIRONMENT = {
    "TOKEN": "t0ken",
    "OPENAI_API_KEY": "sk-1",
    "MY_KEY": "sk-2",
    "COPY": "sk-endpoint-key-copy-1",
    "DIR": "tools",
}


def project(root: Path, command: str = "./run.sh", **more: object) -> McpFile:
    (root / "tools").mkdir(exist_ok=True)
    script = root / "run.sh"
    if not script.exists():
        script.write_text("one")
    (root / "tools" / "a.py").write_text("a")
    entry = {
        "command": command,
        "args": ["--script=tools/a.py", "${DIR}/b.py", "nothing.py", "/etc/hostname"],
        "env": {"T": "${TOKEN}", "K": "${OPENAI_API_KEY:-}", "M": "${MY_KEY:-}", "C": "${COPY:-}"},
        **more,
    }
    (root / ".mcp.json").write_text(json.dumps({"mcpServers": {"p": entry}}))
    return read_file(root / ".mcp.json", "project")


def store(path: Path | None) -> TrustStore:
    return TrustStore(
        path,
        environment=ENVIRONMENT,
        key_variables=["MY_KEY"],
        is_key=lambda value: "endpoint-key" in value,
    )


def asked(trust: TrustStore, file: McpFile, root: Path) -> TrustQuestion:
    question = trust.verdict(file, root)
    assert isinstance(question, TrustQuestion)
    return question


def test_the_question_names_scripts_and_variables(tmp_path: Path) -> None:
    file = project(tmp_path)
    (tmp_path / "tools" / "b.py").write_text("b")
    question = asked(store(None), file, tmp_path)
    assert [path.name for path in question.scripts] == ["run.sh", "a.py", "b.py"]
    assert {use.name: use.forbidden for use in question.variables} == {
        "COPY": True, "DIR": False, "MY_KEY": True, "OPENAI_API_KEY": True, "TOKEN": False,
    }  # fmt: skip
    (token,) = (use for use in question.variables if use.name == "TOKEN")
    assert (token.places, token.is_set, token.looks_secret) == (("p.env.T",), True, True)
    text = question_text(question)
    assert "t0ken" not in text
    assert "it reads MY_KEY (never given: the key of an endpoint)" in text


def test_trust_holds_for_this_content_and_these_scripts_only(tmp_path: Path) -> None:
    kept = tmp_path / "data" / "trust.json"
    file = project(tmp_path)
    trust = store(kept)
    question = asked(trust, file, tmp_path)
    grant = trust.answer(
        question, TrustAnswer("trust", frozenset({"TOKEN", "MY_KEY", "UNASKED", "COPY"}))
    )
    assert grant == Grant(frozenset({"TOKEN"})), "keys never, and nothing that was not asked"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert store(kept).verdict(file, tmp_path) == grant

    (tmp_path / "run.sh").write_text("two")
    assert asked(store(kept), file, tmp_path).changed == (str(tmp_path / "run.sh"),)
    (tmp_path / "run.sh").write_text("one")
    assert store(kept).verdict(file, tmp_path) == grant

    (tmp_path / "tools" / "b.py").write_text("new")
    assert asked(store(kept), file, tmp_path).changed == (str(tmp_path / "tools" / "b.py"),)
    (tmp_path / "tools" / "b.py").unlink()

    other = project(tmp_path, cwd=".")
    assert "the file itself" in asked(store(kept), other, tmp_path).changed
    trust = store(kept)
    assert trust.forget(file.source.path)
    asked(store(kept), file, tmp_path)


def test_a_link_counts_where_it_stands_and_where_it_leads(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    outside = tmp_path / "outside.sh"
    outside.write_text("x")
    (root / "link.sh").symlink_to(outside)
    file = project(root, command="./link.sh")
    before = script_hashes(file.servers, root, {})
    assert root / "link.sh" in before
    outside.write_text("y")
    assert script_hashes(file.servers, root, {})[root / "link.sh"] != before[root / "link.sh"]


def test_never_is_remembered_and_not_now_is_not(tmp_path: Path) -> None:
    kept = tmp_path / "trust.json"
    file = project(tmp_path)
    trust = store(kept)
    assert trust.answer(asked(trust, file, tmp_path), TrustAnswer("not_now")) is None
    assert not kept.exists()
    assert trust.answer(asked(trust, file, tmp_path), TrustAnswer("never")) is None
    assert store(kept).verdict(file, tmp_path) == "never"
    changed = project(tmp_path, cwd=".")
    asked(store(kept), changed, tmp_path)


def test_a_damaged_file_of_answers_is_said(tmp_path: Path) -> None:
    kept = tmp_path / "trust.json"
    kept.write_text('{"version": 1, "projects": {"x": {}}}')
    with pytest.raises(ConfigError, match="Remove it to be asked anew"):
        store(kept)
    assert kept.exists()


def _servers(
    root: Path, trust: TrustStore, ports: McpPorts | None, manager: ToolManager
) -> McpServers:
    return McpServers(
        find_servers(root / "none.json", root),
        McpOptions(root=root, environment={**os.environ, "TOKEN": "t0ken"}),
        trust=trust,
        replace_tools=manager.replace_source,
        ports=ports,
    )


async def test_nothing_of_a_project_runs_unasked(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(OWN_SERVER.read_text())
    entry = {"command": sys.executable, "args": ["server.py"], "env": {"T": "${TOKEN:-no}"}}
    (tmp_path / ".mcp.json").write_text(json.dumps({"mcpServers": {"p": entry}}))
    manager = ToolManager()
    kept = tmp_path / "trust.json"

    servers = _servers(tmp_path, store(kept), None, manager)
    ignored: list[object] = []
    servers.subscribe(ignored.append)
    servers.start()
    await servers.settled(10)
    await servers.close()
    assert servers.snapshot("p").state in ("untrusted", "stopped")
    assert any(isinstance(event, ProjectIgnored) for event in ignored)

    async def yes(question: TrustQuestion) -> TrustAnswer:
        assert list(question.scripts) == [tmp_path / "server.py"]
        return TrustAnswer("trust", frozenset())

    servers = _servers(tmp_path, store(kept), McpPorts(ask_trust=yes), manager)
    servers.start()
    try:
        await servers.settled(20)
        assert servers.snapshot("p").state == "ready"
        tool = manager.get("p__environment")
        seen = json.loads((await tool.run({}, tmp_path, lambda _: None)).seen)
        assert seen["T"] == "no", "not granted by name, so not read"

        # A script that changed since is not started again, by whatever way.
        (tmp_path / "server.py").write_text("raise SystemExit")
        await manager.get("p__die").run({}, tmp_path, lambda _: None)
        output = await manager.get("p__echo").run({"text": "x"}, tmp_path, lambda _: None)
        assert output.status == "error"
        assert "changed since it was trusted" in output.seen
        assert servers.snapshot("p").state == "untrusted"
    finally:
        await servers.close()
