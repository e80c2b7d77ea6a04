"""Which rule speaks, and which are offered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.tools.rules.rule import parse_rule
from chatglass.tools.rules.suggestions import suggestions, why_none
from rules.conftest import Judge, served


def test_deny_beats_ask_beats_allow(judge: Judge) -> None:
    call = judge.command("git status")
    rule = "run_command(git status)"
    assert judge.ruling(call, allow=[rule]) == "allow"
    assert judge.ruling(call, allow=[rule], ask=[rule]) == "ask"
    assert judge.ruling(call, allow=[rule], ask=[rule], deny=[rule]) == "deny"
    assert judge.ruling(call, allow=["run_command(git log)"]) == "none"


@given(
    st.lists(st.sampled_from(["run_command", "run_command(git status)", "run_command(git **)"])),
    st.lists(st.sampled_from(["run_command", "run_command(git status)", "run_command(git log)"])),
)
def test_what_is_denied_stays_denied_whatever_is_allowed(
    judge_once: Judge, denied: list[str], allowed: list[str]
) -> None:
    call = judge_once.command("git status")
    alone = judge_once.ruling(call, deny=denied)
    assert judge_once.ruling(call, deny=denied, allow=allowed) == alone or alone != "deny"


@pytest.fixture(scope="module")
def judge_once(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    from chatglass.tools.places import Surroundings
    from chatglass.tools.tool_manager import ToolManager

    home = tmp_path_factory.mktemp("home")
    (home / "project").mkdir()
    surroundings = Surroundings(home=home)
    manager = ToolManager.with_builtins(surroundings=surroundings)
    return Judge(manager, surroundings, home / "project", home)


@pytest.mark.parametrize(
    ("command", "verdict"),
    [
        ("git push", "deny"),
        ("git push --force origin", "deny"),
        ("/usr/bin/git push", "deny"),
        ("git -C x push", "ask"),
        ("git -c a=b push", "ask"),
        ("GIT push", "ask"),
        ("true; git push", "ask"),
        ("echo $(git push)", "ask"),
        ("sh -c 'git push'", "ask"),
        ("sudo git push", "ask"),
        ("FOO=1 git push", "ask"),
        ("git log --oneline push", "ask"),
        ("git pull", "allow"),
        ("ls push", "allow"),
    ],
)
def test_denying_a_command_asks_in_doubt(judge: Judge, command: str, verdict: str) -> None:
    found = judge.ruling(
        judge.command(command), deny=["run_command(git push **)"], allow=["run_command"]
    )
    assert found == verdict


def test_options_in_another_form_are_a_doubt(judge: Judge) -> None:
    deny = ["run_command(rm -rf *)"]
    for command, verdict in (("rm -rf /", "deny"), ("rm -fr x", "ask"), ("rm -r -f x", "ask")):
        assert judge.ruling(judge.command(command), deny=deny, allow=["run_command"]) == verdict


def test_a_doubt_gives_way_to_a_command_allowed_word_for_word(judge: Judge) -> None:
    call = judge.command("bash build.sh")
    deny = ["run_command(rm **)"]
    assert judge.ruling(call, deny=deny, allow=["run_command"]) == "ask"
    assert judge.ruling(call, deny=deny, allow=["run_command(bash build.sh)"]) == "allow"


def test_a_policy_holds_where_no_rule_speaks(judge: Judge) -> None:
    call = judge.write("src/new.py")
    allow = ["write_file(src/**)"]

    def verdict(tools: dict, **rules: list[str]) -> str:
        found = judge.book(tools, **rules).ruling(call)
        return found.verdict if found else "none"

    assert verdict({"write_file": "ask"}, allow=allow) == "allow"
    assert verdict({"write_file": "ask"}) == "ask"
    assert verdict({"write_file": "allow"}) == "allow"
    assert verdict({"write_file": "allow"}, ask=allow) == "ask"
    assert verdict({"write_file": "deny"}, allow=allow) == "deny"
    assert verdict({"read_file": "deny"}) == "none"


def offered(judge: Judge, call: object) -> list[str]:
    return [str(each.rule) for each in suggestions(call, judge.surroundings)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("command", "rules"),
    [
        ("git status", ["run_command(git status)", "run_command(git status *)"]),
        (
            "git diff --stat src",
            ["run_command(git diff --stat src)", "run_command(git diff [--stat] *)"],
        ),
        ("rm -rf build", ["run_command(rm -rf build)"]),
        ("pytest -q", ["run_command(pytest -q)"]),
        ("git push", ["run_command(git push)"]),
        ("git -C x status", ["run_command(git -C x status)"]),
        ("bash x.sh", ["run_command(bash x.sh)"]),
        ("ls | wc", []),
        ("ls\n", []),
    ],
)
def test_the_rules_offered_for_a_command(judge: Judge, command: str, rules: list[str]) -> None:
    assert offered(judge, judge.command(command)) == rules


@pytest.mark.parametrize(
    "command",
    [
        "git diff --output out.txt", "git diff --no-index a b", "git log --ext-diff", "rg --pre cat x",
        "git blame --contents a b", "git diff -O order", "rg KEY", "grep -r KEY .", "grep -nR KEY .",
        "grep -f names a", "diff a b", "tree -o a.txt", "tree -R", "file -f names", "file -C -m a",
        "wc --files0-from a", "du --files0-from a", "tail -f a", "go vet -vettool ./x",
        "go list -toolexec x", "cargo check", "cargo tree --manifest-path x", "npm ls --prefix x",
        "pip list --index-url x", "python a.py", "find src", "sed -n 1p a", "awk 1 a", "xargs ls",
        "env ls", "sudo ls", "make all", "npm run x", "tar -tf a", "git status -- src",
    ],
)  # fmt: skip
def test_no_wide_rule_is_offered_where_an_operand_could_do_more(judge: Judge, command: str) -> None:
    assert offered(judge, judge.command(command)) == [f"run_command({command})"]


@pytest.mark.parametrize(
    "command",
    ["git log --oneline -5", "git log -n 5", "git show --stat HEAD", "ls -la src", "head -n 20 a",
     "grep -n x src/a.py", "wc -l src/a.py", "tail -n5 a", "du -sh src", "tree -L 2"],
)  # fmt: skip
def test_a_wide_rule_is_offered_for_what_only_reads(judge: Judge, command: str) -> None:
    assert len(offered(judge, judge.command(command))) == 2


def test_the_rules_offered_for_files_pages_and_servers(judge: Judge) -> None:
    assert offered(judge, judge.write("src/new.py")) == [
        "write_file(src/new.py)",
        "write_file(src/**)",
    ]
    assert offered(judge, judge.write("new.md")) == ["write_file(new.md)"]
    assert offered(judge, judge.write("odd (1).md")) == ['write_file("odd (1).md")']
    assert offered(judge, judge.write(".git/config")) == []
    (judge.root / ".env").write_text("")
    assert offered(judge, judge.call("read_file", path=".env")) == ["read_file(.env)"]
    echo = served("own__echo", {"text": "hé"})
    assert offered(judge, echo) == ['own__echo({"text": "h\\u00e9"})', "own__echo"]


def test_where_none_is_offered_it_says_why(judge: Judge) -> None:
    assert "shell syntax: |" in why_none(judge.command("ls | wc"))
    assert "always asks" in why_none(judge.write(".git/config"))


@given(st.text(max_size=40).filter(lambda text: bool(text.strip()) and "\0" not in text))
def test_what_is_offered_covers_the_call_and_reads_back(judge_once: Judge, command: str) -> None:
    call = judge_once.command(command)
    for each in suggestions(call, judge_once.surroundings):
        assert parse_rule(str(each.rule)) == each.rule
        assert each.rule.allows(call, judge_once.surroundings)
