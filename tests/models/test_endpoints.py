"""Which endpoints there are, and that each key goes to its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from chatglass.config.errors import ConfigError
from chatglass.config.settings import EndpointSettings
from chatglass.models.endpoints import (
    checked_url,
    configured_endpoints,
    is_loopback,
    name_of,
)
from chatglass.models.keys import KeyCommand, KeyUnavailable
from processes import gone

KEY = {"OPENAI_API_KEY": " sk-own\n"}


def test_nothing_configured() -> None:
    choice = configured_endpoints({})
    assert choice.endpoints == {}
    assert choice.chosen is None


def test_the_key_alone_means_openai() -> None:
    choice = configured_endpoints({**KEY, "OPENAI_ORG_ID": "org-1"})
    endpoint = choice.endpoints["openai"].endpoint
    assert choice.chosen == "openai"
    assert (endpoint.base_url, endpoint.kind) == ("https://api.openai.com/v1", "openai")
    assert (endpoint.key, endpoint.key_source) == ("sk-own", "OPENAI_API_KEY")
    assert endpoint.headers == {"OpenAI-Organization": "org-1"}
    assert not endpoint.is_local


def test_address_and_key_of_the_environment_belong_together() -> None:
    choice = configured_endpoints({**KEY, "OPENAI_BASE_URL": "http://localhost:4000/v1/"})
    endpoint = choice.endpoints["localhost:4000"].endpoint
    assert endpoint.base_url == "http://localhost:4000/v1"
    assert endpoint.key == "sk-own"
    assert endpoint.is_local


def test_an_address_without_key() -> None:
    choice = configured_endpoints({"OPENAI_BASE_URL": "https://models.example/v1"})
    endpoint = choice.endpoints["models.example"].endpoint
    assert (endpoint.key, endpoint.key_source) == (None, "")


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://models.example/v1", "sk-own"),
        ("http://localhost:11434/v1", None),
        ("http://127.0.0.5:8000/v1", None),
        ("http://[::1]:8000/v1", None),
        ("http://0.0.0.0:8000/v1", None),
        ("http://192.168.1.5:8000/v1", "sk-own"),
    ],
)
def test_a_flag_takes_the_key_but_not_to_this_machine(url: str, key: str | None) -> None:
    choice = configured_endpoints(KEY, base_url=url)
    assert choice.chosen == name_of(url)
    assert choice.endpoints[name_of(url)].endpoint.key == key
    assert choice.endpoints["openai"].endpoint.key == "sk-own"


def test_a_flag_that_names_a_configured_address_is_that_endpoint() -> None:
    settings = {"mine": EndpointSettings(base_url="http://localhost:8000/v1/", api_key_env="MINE")}
    choice = configured_endpoints(
        {"MINE": "k"}, base_url="http://localhost:8000/v1", settings=settings
    )
    assert choice.chosen == "mine"
    assert choice.endpoints["mine"].endpoint.key == "k"
    assert list(choice.endpoints) == ["mine"]


def test_settings() -> None:
    settings = {
        "router": EndpointSettings(
            base_url="https://openrouter.ai/api/v1",
            api_key_env="ROUTER_KEY",
            models=("openai/gpt-4o", "x/y"),
            headers={"X-Title": "chatglass"},
            context_window=9000,
        ),
        "vault": EndpointSettings(base_url="https://v.example/v1", api_key_cmd="pass show v"),
        "local": EndpointSettings(base_url="http://localhost:11434/v1"),
    }
    choice = configured_endpoints({**KEY, "ROUTER_KEY": "r"}, settings=settings)
    router, vault, local = (choice.endpoints[name] for name in settings)
    assert (router.endpoint.key, router.endpoint.key_source) == ("r", "ROUTER_KEY")
    assert router.endpoint.models == ("openai/gpt-4o", "x/y")
    assert router.endpoint.headers == {"X-Title": "chatglass"}
    assert router.context_window == 9000
    assert vault.endpoint.key is None
    assert vault.key_command is not None
    assert vault.endpoint.key_source == "api_key_cmd of [endpoints.vault]"
    assert (local.endpoint.key, local.endpoint.kind) == (None, "ollama")
    assert choice.chosen == "openai"
    assert configured_endpoints(KEY, settings=settings, preferred="vault").chosen == "vault"
    assert configured_endpoints({}, settings=settings).chosen == "router"


@pytest.mark.parametrize(
    ("environment", "cause"),
    [
        ({}, "OPENAI_API_KEY is not set"),
        ({"OPENAI_API_KEY": " "}, "OPENAI_API_KEY is not set"),
        ({"OPENAI_BASE_URL": "http://u:secret@localhost:1/v1"}, "another address, http://localhost:1/v1"),
    ],
)  # fmt: skip
def test_a_chosen_openai_without_a_key_is_refused_and_not_replaced(
    environment: dict[str, str], cause: str
) -> None:
    settings = {"other": EndpointSettings(base_url="http://localhost:1234/v1")}
    with pytest.raises(ConfigError, match="Set OPENAI_API_KEY") as caught:
        configured_endpoints(environment, settings=settings, preferred="openai")
    assert cause in str(caught.value)
    assert "[endpoints.openai]" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert configured_endpoints(KEY, settings=settings, preferred="openai").chosen == "openai"
    flagged = configured_endpoints(
        environment, settings=settings, preferred="openai", base_url="http://localhost:1234/v1"
    )
    assert flagged.chosen == "other"


def test_settings_of_the_same_name_go_before_the_environment() -> None:
    settings = {"openai": EndpointSettings(base_url="https://eu.example/v1", api_key_env="EU")}
    choice = configured_endpoints({**KEY, "EU": "eu-key"}, settings=settings)
    assert choice.endpoints["openai"].endpoint.key == "eu-key"


def test_a_variable_that_is_not_set_is_still_named() -> None:
    settings = {"x": EndpointSettings(base_url="https://x.example", api_key_env="X_KEY")}
    endpoint = configured_endpoints(KEY, settings=settings).endpoints["x"].endpoint
    assert (endpoint.key, endpoint.key_source) == (None, "X_KEY")


@pytest.mark.parametrize(
    "url", ["localhost:8000/v1", "", "ftp://x", "http://", "http://x y/v1", "http://[", "/v1", "http://x:a"]
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(ConfigError, match="base_url of the test"):
        checked_url(url, "base_url of the test")


def test_the_path_of_the_request_is_taken_off() -> None:
    assert checked_url("https://x.example/v1/chat/completions", "") == "https://x.example/v1"


@pytest.mark.parametrize("headers", [{"X-A": "a\nb"}, {"X A": "b"}, {"": "b"}, {"X": "ü"}])
def test_a_header_that_cannot_be_sent_is_named(headers: dict[str, str]) -> None:
    settings = {"x": EndpointSettings(base_url="https://x.example", headers=headers)}
    with pytest.raises(ConfigError, match=r"\[endpoints\.x\]"):
        configured_endpoints({}, settings=settings)


def test_loopback_is_judged_by_name_and_number() -> None:
    assert is_loopback("http://a.localhost/v1")
    assert is_loopback("http://LOCALHOST./v1")
    assert not is_loopback("http://localhost.example/v1")
    assert not is_loopback("http://10.0.0.1/v1")


def command(script: str, tmp_path: Path, timeout_s: float = 10.0) -> KeyCommand:
    path = tmp_path / "key.py"
    path.write_text(script)
    return KeyCommand(
        f"'{sys.executable}' {path}", "api_key_cmd of [endpoints.x]", timeout_s=timeout_s
    )


async def test_a_command_runs_once_and_without_shell(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    key = command(f"open({str(runs)!r}, 'a').write('x'); print('sk-from-command')", tmp_path)
    assert key.known is None
    assert await key.key() == await key.key() == "sk-from-command"
    assert key.known == "sk-from-command"
    assert runs.read_text() == "x"
    key.forget("another")
    await key.key()
    assert runs.read_text() == "x"
    key.forget("sk-from-command")
    await key.key()
    assert runs.read_text() == "xx"
    assert await KeyCommand("echo $HOME", "x").key() == "$HOME"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("print('sk-secret'); raise SystemExit(3)", "status 3"),
        ("print()", "nothing"),
        ("print('sk-secret and more')", "more than a key"),
        ("import sys; sys.stdout.buffer.write(b'sk-secret\\xff')", "not a key"),
    ],
)
async def test_a_command_that_fails_says_why_and_not_what_it_printed(
    script: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(KeyUnavailable, match=why) as caught:
        await command(script, tmp_path).key()
    assert "sk-secret" not in str(caught.value)
    assert "sk-secret" not in repr(caught.value.__cause__)
    assert "[endpoints.x]" in str(caught.value)


async def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(pid_file)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    with pytest.raises(KeyUnavailable, match="gave no key in"):
        await command(script, tmp_path, timeout_s=1.0).key()
    assert await gone([int(pid_file.read_text())], 10) == []


@pytest.mark.parametrize("line", ["no-such-program-here", "'unclosed", ""])
async def test_a_command_that_cannot_run(line: str) -> None:
    with pytest.raises(KeyUnavailable):
        await KeyCommand(line, "x").key()
