"""Attempts to get past a rule; each was tried once, and none may work."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.chat.ports import PendingCall
from chatglass.tools.rules.rule import parse_rule
from chatglass.tools.tool import Assessment, ToolSpec
from rules.conftest import Judge, served

STATUS = "run_command(git status)"
DIFF = "run_command(git diff [--stat] [-w] *)"

ASKS = [
    "git status -s",
    "git status --short",
    "git status .",
    "git statusx",
    "git",
    "Git status",
    "GIT STATUS",
    "git Status",
    "gitstatus",
    "/usr/bin/git status",
    "./git status",
    "git -c alias.status=!id status",
    "git -C / status",
    "git --git-dir=/x status",
    "git status; id",
    "git status;id",
    "git status & id",
    "git status && id",
    "git status || id",
    "git status | sh",
    "git status > out",
    "git status >> out",
    "git status < in",
    "git status <<X",
    "git status 2>&1",
    "git status $(id)",
    "git status `id`",
    "git status $HOME",
    "git status ${x}",
    "git status (id)",
    "(git status)",
    "{ git status; }",
    "git status # comment",
    "git status #",
    "git status \\",
    "git st\\atus",
    "git status\n",
    "git status\nid",
    "\ngit status",
    "git status\r",
    "git status\r\nid",
    "git\tstatus",
    "git status\x00",
    "git status\x0bid",
    "git status\u2028id",
    "git status\u00a0id",
    "git\u00a0status",
    "git\u2003status",
    "g\u0456t status",
    "git status\u200b",
    "git status\u202e",
    "git s\u0074\u0301atus",
    "GIT_DIR=/x git status",
    "FOO= git status",
    "env git status",
    "sudo git status",
    "exec git status",
    "time git status",
    "! git status",
    "git status *",
    "git status ?",
    "git status [a]",
    "git status ~",
    "git status ~root",
    "git status {a,b}",
    "git statu''s",
    "g'i't status",
    'git "status"x',
    'git "$x"',
    'git "`id`"',
    'git "\\x"',
    'git "!x"',
    "git $'status'",
    "git status '",
    'git status "',
    "alias git=id",
    "",
    "   ",
]


@pytest.mark.parametrize("command", ASKS)
def test_a_command_is_that_command_and_no_other(judge: Judge, command: str) -> None:
    if command == "":
        return  # the schema refuses it
    assert not judge.allows(STATUS, judge.command(command))


@pytest.mark.parametrize(
    "command", ["git status", "git  status", " git status ", "'git' status", 'git "status"']
)
def test_what_the_shell_reads_as_the_same_words_is_the_same(judge: Judge, command: str) -> None:
    assert judge.allows(STATUS, judge.command(command))


@given(st.text(max_size=30))
def test_nothing_after_a_command_is_let_through(text: str) -> None:
    """Whatever is written behind it: only blanks leave it the same command."""
    from chatglass.tools.rules.command_pattern import parse_command

    pattern = parse_command("git status")
    assert pattern.allows("git status" + text, lambda word: True) is (text.strip(" ") == "")
    assert pattern.allows(text + "git status", lambda word: True) is (text.strip(" ") == "")


@pytest.mark.parametrize(
    "command",
    ["git diff", "git diff --stat", "git diff -w --stat src", "git diff src README.md",
     "git diff src --stat", "git diff HEAD src/a.py", "git diff main..topic"],
)  # fmt: skip
def test_listed_options_and_operands_inside(judge: Judge, command: str) -> None:
    assert judge.allows(DIFF, judge.command(command))


@pytest.mark.parametrize(
    "command",
    [
        "git diff --output=x",
        "git diff --output x",
        "git diff -o x",
        "git diff --ext-diff",
        "git diff --no-index a b",
        "git diff --sta",
        "git diff --stat=80",
        "git diff --stat --stat",
        "git --stat diff",
        "git -w diff",
        "git diff -- src",
        "git diff -",
        "git diff /etc/passwd src",
        "git diff ../other",
        "git diff src/../../other",
        "git diff HEAD:../../x",
        "git diff .env",
        "git diff HEAD:.env",
        "git diff .git/config",
        "git diff link",
        "git diff link/passwd",
        "git diff a=b",
        "git diff @args",
        "git diff +x",
        "git diff '-w '",
        "git diff 'a b'",
        "git diff ''",
        "git diff :/x",
        "git difftool src",
        "git diff src | sh",
        "git diff id_rsa",
    ],
)
def test_options_not_listed_and_operands_outside_ask(judge: Judge, command: str) -> None:
    (judge.root / "link").symlink_to("/etc")
    assert not judge.allows(DIFF, judge.command(command))


def test_a_wildcard_never_stands_behind_what_runs_anything(judge: Judge) -> None:
    for program in ("bash", "sudo", "env", "xargs", "python3", "/usr/bin/env", "make", "find"):
        rule = parse_rule(f"run_command({program} *)")
        assert program.rpartition("/")[2] in rule.objection_to_allowing
        assert not rule.allows(judge.command(f"{program} x"), judge.surroundings)
    assert "anything" in parse_rule("run_command(ls **)").objection_to_allowing
    assert not judge.allows("run_command(ls **)", judge.command("ls"))


# -- files


def test_a_folder_is_where_paths_lead_and_not_how_they_are_written(judge: Judge) -> None:
    rule = "write_file(src/**)"
    (judge.root / "src" / "out").symlink_to(judge.home)
    (judge.root / "src" / "away.py").symlink_to("../README.md")
    (judge.root / "way").symlink_to("src")
    for path in ("src/new.py", "src/deep/x/y.py", "./src/a.py", "src//a.py", "way/new.py",
                 "README.md/../src/../src/a.py", str(judge.root / "src" / "a.py")):  # fmt: skip
        assert judge.allows(rule, judge.write(path)), path
    for path in ("README.md", "src/../README.md", "src/out/x", "src/away.py", "srcx/a", "Src/a.py",
                 "SRC/a.py", "src\u200b/a.py", "ѕrc/a.py", "src/../../x", "/src/a.py", "~/src/a.py",
                 "src/.hidden", "src/.github/workflows/x.yml", "src/.env", "src/id_rsa",
                 "src/.git/hooks/pre-commit", "src/.mcp.json"):  # fmt: skip
        assert not judge.allows(rule, judge.write(path)), path


def test_a_folder_that_is_a_link_itself_allows_nothing(judge: Judge) -> None:
    (judge.root / "build").symlink_to(judge.home)
    assert not judge.allows("write_file(build/**)", judge.write("build/x"))
    assert not judge.allows(f"write_file({judge.root}/build/**)", judge.write("build/x"))


def test_a_link_put_there_later_ends_the_rule(judge: Judge) -> None:
    rule = "write_file(src/new.py)"
    assert judge.allows(rule, judge.write("src/new.py"))
    (judge.root / "src" / "new.py").symlink_to(judge.home / ".bashrc")
    assert not judge.allows(rule, judge.write("src/new.py"))


def test_letters_that_look_alike_are_other_files(judge: Judge) -> None:
    composed = unicodedata.normalize("NFC", "src/ä.py")
    apart = unicodedata.normalize("NFD", "src/ä.py")
    assert judge.allows(f"write_file({composed})", judge.write(composed))
    assert not judge.allows(f"write_file({composed})", judge.write(apart))
    # Where it denies, it can't be told whether the file system takes them for one.
    assert judge.ruling(judge.write(apart), deny=[f"write_file({composed})"]) == "ask"


def test_one_name_is_no_more_than_one_name(judge: Judge) -> None:
    for path, fits in (("src/b.py", True), ("src/deep/b.py", False), ("src/b.pyc", False),
                       ("src/.b.py", False), ("src/b\n.py", True)):  # fmt: skip
        assert judge.allows("write_file(src/*.py)", judge.write(path)) is fits, path


def test_what_always_asks_is_allowed_by_no_rule(judge: Judge) -> None:
    for path in (".git/config", ".GIT/config", "src/.git/x", ".mcp.json", ".env",
                 ".vscode/tasks.json", ".husky/pre-commit", "src/sitecustomize.py",
                 ".github/workflows/ci.yml",
                 str(judge.home / ".config" / "chatglass" / "config.toml")):  # fmt: skip
        call = judge.write(path)
        for rule in ("write_file", "write_file(**)", "write_file(/**)", f'write_file("{path}")'):
            assert judge.ruling(call, allow=[rule]) == "none", (path, rule)


def test_what_may_be_secret_is_read_by_its_own_name_only(judge: Judge) -> None:
    (judge.root / ".env").write_text("KEY=1")
    (judge.root / "alias").symlink_to(".env")
    secret = judge.call("read_file", path=".env")
    linked = judge.call("read_file", path="alias")
    for rule in ("read_file", "read_file(**)", "read_file(.*)", "read_file(/**)"):
        assert judge.ruling(secret, allow=[rule]) == "none", rule
    assert judge.ruling(secret, allow=["read_file(.env)"]) == "allow"
    assert judge.ruling(linked, allow=["read_file(alias)"]) == "none"


def test_denying_finds_a_file_by_either_of_its_names(judge: Judge) -> None:
    (judge.root / "way").symlink_to("src")
    (judge.root / "src" / "away").symlink_to("../README.md")
    deny = {"deny": ["write_file(src/**)"], "allow": ["write_file"]}
    for path in ("src/a.py", "way/a.py", "src/away", "src/.hidden", "src"):
        assert judge.ruling(judge.write(path), **deny) == "deny", path
    assert judge.ruling(judge.write("SRC/a.py"), **deny) == "ask"
    assert judge.ruling(judge.write("README.md"), **deny) == "allow"


# -- pages


def fetch(url: str, *, server: str = "", always: bool = False) -> PendingCall:
    return PendingCall(
        session_id="s", turn_id="t", tool_call_id="c", arguments={"url": url}, root="/w",
        spec=ToolSpec(name="fetch_url", description="", parameters={}, server=server),
        assessment=Assessment(verdict="ask", why="", rule="r", always_ask=always),
    )  # fmt: skip


def test_a_site_is_its_origin(judge: Judge) -> None:
    rule = "fetch_url(https://example.org)"
    for url in ("https://example.org", "https://example.org/a?b", "https://EXAMPLE.org:443/",
                "https://example.org./x"):  # fmt: skip
        assert judge.allows(rule, fetch(url)), url
    for url in ("http://example.org/", "https://example.org:8443/", "https://www.example.org/",
                "https://example.org.evil.net/", "https://evil.net/https://example.org",
                "https://example.org@evil.net/", "https://evil.net#example.org",
                "https://ехample.org/", "https://example.org%2eevil.net/",
                "https://example.org\\@evil.net/", "//example.org/"):  # fmt: skip
        assert not judge.allows(rule, fetch(url)), url
    assert judge.ruling(fetch("https://example.org/", always=True), allow=[rule]) == "none"


def test_a_page_is_that_page(judge: Judge) -> None:
    rule = "fetch_url(https://example.org/a)"
    assert judge.allows(rule, fetch("https://example.org/a"))
    for url in ("https://example.org/a/", "https://example.org/a?x", "https://example.org/A",
                "https://example.org/b/../a"):  # fmt: skip
        assert not judge.allows(rule, fetch(url)), url


# -- tools of servers


def test_arguments_are_exactly_those(judge: Judge) -> None:
    rule = 'srv__do({"n": 1, "s": "x"})'
    assert judge.allows(rule, served("srv__do", {"s": "x", "n": 1}))
    for other in ({"n": 1}, {"n": 1, "s": "x", "t": 0}, {"n": 1.0, "s": "x"},
                  {"n": True, "s": "x"}, {"n": "1", "s": "x"}, {"n": 1, "s": "х"},
                  {"n": 1, "S": "x"}, {"n": float("nan"), "s": "x"}):  # fmt: skip
        assert not judge.allows(rule, served("srv__do", other)), other
    assert not judge.allows(rule, served("srv__doo", {"n": 1, "s": "x"}))
    assert judge.allows("srv__do", served("srv__do", {"anything": 1}))
    assert not judge.allows("srv__do", served("Srv__do", {}))


@pytest.mark.parametrize(
    "pattern",
    ["python3.11 *", "Python *", "/usr/bin/perl5.36 *", "pnpx *", "just *", "tar *", "git *",
     "git bisect *", "npm run *", "npm exec *", "uv run *", "cargo run *", "go run *", "gh *"],
)  # fmt: skip
def test_no_rule_allows_whatever_a_program_is_told_to_run(judge: Judge, pattern: str) -> None:
    rule = parse_rule(f"run_command({pattern})")
    assert rule.objection_to_allowing
    assert not judge.allows(str(rule), judge.command(pattern.replace("*", "x")))


def test_a_rule_that_denies_is_in_doubt_about_any_version_of_an_interpreter(judge: Judge) -> None:
    for command in ("python3.11 -c x", "PYTHON3 x.py", "nodejs x.js", "just clean"):
        assert judge.ruling(judge.command(command), deny=["run_command(rm **)"]) == "ask"


def test_no_rule_makes_a_folder_a_repository_of_git(judge: Judge) -> None:
    """Of a folder with HEAD, objects, refs and config git takes the settings, which run programs."""
    rule = "write_file(src/**)"
    assert judge.allows(rule, judge.write("src/config"))
    for name in ("HEAD", "head"):
        assert judge.write(f"src/{name}").assessment.always_ask
        assert not judge.allows(rule, judge.write(f"src/{name}"))
    (judge.root / "src" / "HEAD").write_text("ref: refs/heads/main\n")
    (judge.root / "src" / "objects").mkdir()
    (judge.root / "src" / "refs").mkdir()
    for path in ("src/config", "src/hooks/pre-commit", "src/deep/c.py"):
        assert judge.write(path).assessment.always_ask
        assert not judge.allows(rule, judge.write(path))
    # An operand of that name is what git calls its newest commit.
    assert judge.allows("run_command(git diff *)", judge.command("git diff HEAD"))


@pytest.mark.parametrize(
    "name", [".GIT", ".g\u200cit", "\ufeff.git", "\uff0egit", "GIT~1", ".git\u200d"]
)
def test_other_spellings_of_what_git_owns_are_guarded(judge: Judge, name: str) -> None:
    assert judge.write(f"{name}/config").assessment.always_ask


def test_other_spellings_of_secrets_are_secret(judge: Judge) -> None:
    for name in (".e\u200cnv", ".ENV", ".\uff45nv", "id_\u200drsa"):
        assert judge.call("read_file", path=name).assessment.private, name
