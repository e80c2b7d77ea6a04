"""Where paths lead, and what may be read unasked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatglass.tools import policy
from chatglass.tools.places import Surroundings
from chatglass.tools.secret_names import secret_name

if TYPE_CHECKING:
    from tests.tools.conftest import Bench

SECRETS = [
    ".env",
    ".env.local",
    "prod.env",
    ".ssh",
    ".aws",
    "id_rsa",
    "id_ed25519",
    "id_custom",
    "id_rsa.bak",
    "server.pem",
    "tls.KEY",
    "credentials",
    "credentials.json",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    ".bash_history",
    "store.p12",
    ".ENV",
    ".Ssh",
    "secrets.toml",
    "terraform.tfstate",
]
ORDINARY = [
    "README.md",
    "environment.py",
    "id_generator.py",
    "keys.py",
    "monkey.py",
    ".gitignore",
    "envelope",
]


@pytest.mark.parametrize("name", SECRETS)
def test_secret_names(name: str):
    assert secret_name(name)


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_names(name: str):
    assert not secret_name(name)


def verdict(bench: Bench, path: str) -> str:
    return bench.assess("read_file", path=path).verdict


def test_inside_is_allowed_and_outside_asks(bench: Bench):
    (bench.root / "a.txt").write_text("x")
    assert verdict(bench, "a.txt") == "allow"
    assert verdict(bench, "not/there/yet.txt") == "allow"
    assert verdict(bench, str(bench.root / "a.txt")) == "allow"
    assert verdict(bench, "../project/a.txt") == "allow"
    assert verdict(bench, "../other.txt") == "ask"
    assert verdict(bench, "~/notes") == "ask"
    assert verdict(bench, "/etc/passwd") == "ask"
    # A sibling that begins with the root's name is not inside it.
    assert verdict(bench, str(bench.root) + "-2/a.txt") == "ask"
    assert bench.assess("read_file", path="a\0b").verdict == "deny"
    assert bench.assess("read_file", path="").verdict == "deny"


def test_the_question_shows_where_a_link_leads(bench: Bench):
    outside = bench.home / "outside.txt"
    outside.write_text("x")
    (bench.root / "link").symlink_to(outside)
    found = bench.assess("read_file", path="link")
    assert found.verdict == "ask"
    assert found.details["path"] == str(outside)
    assert found.details["exists"] == "yes, 1 byte"


def test_link_then_dotdot_is_judged_by_the_target(bench: Bench):
    other = bench.home / "other" / "deep"
    other.mkdir(parents=True)
    (bench.root / "link").symlink_to(other)
    # Textually `link/../x` is `x` in the root; the system opens home/other/x.
    found = bench.assess("read_file", path="link/../x")
    assert found.verdict == "ask"
    assert found.details["path"] == str(bench.home / "other" / "x")


def test_secrets_inside_ask(bench: Bench):
    for name in (".env", "deploy/.ssh/config", "config/id_ed25519", "x/server.pem"):
        assert verdict(bench, name) == "ask"
    (bench.root / "settings.txt").write_text("x")
    (bench.root / ".env").symlink_to(bench.root / "settings.txt")
    assert verdict(bench, ".env") == "ask"
    (bench.root / ".env.real").write_text("x")
    (bench.root / "plain.txt").symlink_to(bench.root / ".env.real")
    assert verdict(bench, "plain.txt") == "ask"


def test_home_and_above_ask(bench: Bench):
    tool = bench.manager.get("read_file")
    arguments = tool.validate({"path": "a.txt"})
    for root in (bench.home, bench.home.parent, Path("/")):
        assert tool.assess(arguments, root).verdict == "ask"
    linked = bench.root / "to_home"
    linked.symlink_to(bench.home)
    assert tool.assess(arguments, linked).verdict == "ask"


def test_own_folders_ask(bench: Bench):
    own = bench.home / ".config" / "chatglass"
    surroundings = Surroundings(home=bench.home, own_folders=(own,))
    place = surroundings.place("chatglass/config.toml", bench.home / ".config")
    assert policy.read_place(place, surroundings).verdict == "ask"
    assert "chatglass itself" in place.secret
    assert policy.write_place(place, "").always_ask


NAMES = st.sampled_from(["a", "b", "link_out", "link_up", "link_in", "loop", "..", ".", "deep", ""])
PATHS = st.one_of(
    st.lists(NAMES, min_size=1, max_size=7).map("/".join),
    st.lists(NAMES, max_size=5).map(lambda parts: "~/" + "/".join(parts)),
    st.lists(NAMES, max_size=5).map(lambda parts: "ROOT/" + "/".join(parts)),
    st.text(max_size=12),
)


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(given_path=PATHS)
def test_nothing_that_resolves_outside_is_allowed(bench: Bench, given_path: str):
    root = bench.root
    if not (root / "loop").is_symlink():
        (root / "a" / "b").mkdir(parents=True)
        (root / "deep" / "deep").mkdir(parents=True)
        (bench.home / "b").mkdir()
        (root / "link_out").symlink_to(bench.home / "b")
        (root / "a" / "link_up").symlink_to("../..")
        (root / "a" / "b" / "link_out").symlink_to("/etc")
        (root / "deep" / "link_in").symlink_to(root / "a")
        (root / "loop").symlink_to("loop")
    text = given_path.replace("ROOT", str(root))
    found = bench.assess("read_file", path=text)
    if found.verdict != "allow":
        return
    # The kernel's own word, without any of our code: open what was allowed from the root.
    real = os.path.realpath(root)
    where = os.path.realpath(os.path.join(root, text))
    assert where == real or where.startswith(real + os.sep)
    assert found.details["path"] == where
    try:
        descriptor = os.open(os.path.join(root, text), os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return
    try:
        opened = (
            os.readlink(f"/proc/self/fd/{descriptor}") if os.path.isdir("/proc/self/fd") else where
        )
    finally:
        os.close(descriptor)
    assert opened == real or opened.startswith(real + os.sep)
