"""Rules in the settings file: read strictly, added and taken out with everything else kept."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from chatglass.chat.saved_rules import SavedRules
from chatglass.config.errors import ConfigError
from chatglass.config.settings import load_settings, save_in_list
from chatglass.tools.rules.rule import parse_rule
from chatglass.tools.rules.rule_book import SavedRule
from rules.conftest import Judge

ROOT = Path(__file__).parents[2]


def read(file: Path, judge: Judge) -> SavedRules:
    return SavedRules(load_settings(file).approval, file, judge.surroundings)


def test_a_saved_rule_holds_at_once_and_after_a_restart_in_its_root_only(
    judge: Judge, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    call = judge.command("git status")
    rules = read(file, judge)
    saved = SavedRule("allow", parse_rule("run_command(git status)"), str(judge.root))
    rules.save(saved)
    for each in (rules, read(file, judge)):
        ruling = each.book(str(judge.root)).ruling(call)
        assert ruling is not None
        assert (ruling.verdict, ruling.by) == ("allow", "rule run_command(git status)")
        for other in (judge.home, judge.root / "src", judge.root.parent / "project2"):
            assert each.book(str(other)).ruling(call) is None
    again = read(file, judge)
    again.delete(saved)
    for each in (again, read(file, judge)):
        assert each.rules == ()
        assert each.book(str(judge.root)).ruling(call) is None


def test_a_root_is_the_folder_and_not_its_name(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "way").symlink_to(judge.root)
    file = tmp_path / "config.toml"
    file.write_text(f'[approval.roots."{tmp_path}/way"]\nallow = ["run_command(git status)"]\n')
    rules = read(file, judge)
    assert rules.book(str(judge.root)).ruling(judge.command("git status")) is not None
    rules.save(SavedRule("deny", parse_rule("write_file"), str(judge.root)))
    assert file.read_text().count("[approval.roots.") == 1, "the table the file has is used"


def test_comments_and_order_stay(judge: Judge, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    before = (
        "# mine\n[approval] # why\nallow = [\n    # the first\n"
        '    "run_command(ls)", # short\n    "run_command(pwd)",\n]\n\n[keys]\n"session.new" = "f5"\n'
    )
    file.write_text(before)
    rules = read(file, judge)
    rules.save(SavedRule("allow", parse_rule('write_file("odd (1) \\u00e9")')))
    text = file.read_text()
    for kept in ("# mine", "# why", "# the first", "# short", '"session.new" = "f5"'):
        assert kept in text
    found = tomllib.loads(text)["approval"]["allow"]
    assert [str(parse_rule(each)) for each in found] == [
        "run_command(ls)", "run_command(pwd)", 'write_file("odd (1) é")'
    ]  # fmt: skip
    rules.delete(rules.rules[-1])
    assert file.read_text() == before


def test_saving_what_is_there_adds_nothing(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    for _ in range(2):
        save_in_list(file, ["approval", "allow"], "x", there=True)
    assert tomllib.loads(file.read_text()) == {"approval": {"allow": ["x"]}}
    save_in_list(file, ["approval", "deny"], "x", there=False)
    assert tomllib.loads(file.read_text())["approval"]["allow"] == ["x"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[approval]\nallow = ["run_command(ls | wc)"]', "approval.allow: run_command(ls | wc)"),
        ('[approval]\nallow = ["run_command(git push **)"]', "only stands in rules that ask or deny"),
        ('[approval]\nallow = ["run_command(sudo *)"]', "sudo runs what its operands say"),
        ('[approval]\ndeny = ["write_file(../x)"]', "approval.deny: write_file(../x)"),
        ('[approval.roots."/x"]\nask = ["a b"]', 'approval.roots."/x".ask'),
    ],
)  # fmt: skip
def test_a_rule_that_is_none_is_named_with_its_place(
    judge: Judge, tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        read(file, judge)
    assert told in str(refused.value)
    assert str(file) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[approval]\nmode = "yolo"', "approval.mode"),
        ('[approval]\nmodes = "all"', "Did you mean mode?"),
        ('[approval.tools]\nx = "never"', "approval.tools.x"),
        ('[approval.roots."/x"]\nalow = []', "alow"),
    ],
)
def test_settings_of_approval_are_read_strictly(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(told)):
        load_settings(file)


def test_the_rules_of_the_page_are_rules(judge: Judge, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "approval.md").read_text(encoding="utf-8")
    table = page.split("| rule | what it means |")[1].split("\n\n")[0]
    named = re.findall(r"^\| `(.+?)` \|", table, re.MULTILINE)
    assert len(named) > 10
    assert [str(parse_rule(text)) for text in named] == named
    [block] = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    file = tmp_path / "config.toml"
    file.write_text(block)
    assert len(read(file, judge).rules) == 5


def test_the_keys_of_the_page_are_those_of_the_program() -> None:
    from chatglass.tui.actions.registry import Actions

    page = (ROOT / "docs" / "approval.md").read_text(encoding="utf-8")
    table = page.split("| key | what it does |")[1].split("\n\n")[0]
    named = set(re.findall(r"^\| `(\w)` \|", table, re.MULTILINE))
    assert named == {key for action in Actions().at("approval") for key in action.keys}
