"""Reading and printing rules: each the other's inverse."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatglass.tools.rules.command_pattern import CommandPattern, parse_command
from chatglass.tools.rules.match import InvalidRule
from chatglass.tools.rules.other_patterns import ArgumentsPattern
from chatglass.tools.rules.path_pattern import PathPattern, parse_path
from chatglass.tools.rules.rule import Rule, parse_rule
from chatglass.tools.rules.shell_words import NotModelled, command_line, plain_words

ascii_text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
names = st.text(min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..") and "/" not in name and "\0" not in name
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "run_command",
        "run_command(git status)",
        "run_command(git diff [--stat] [-w] *)",
        "run_command(git log '--format=%h %s' [-5] src/a.py)",
        "run_command(grep '[a-z]*' \"it's\" [-n] ['-e )'] *)",
        "run_command(git push **)",
        "write_file(src/**)",
        "write_file(src/*.py)",
        "write_file(/tmp/out/**)",
        'write_file("odd (name).txt")',
        'write_file("*")',
        "write_file(*)",
        'read_file("/")',
        "read_file(.env)",
        "fetch_url(https://example.org)",
        "fetch_url(http://[::1]:8080)",
        "fetch_url(https://example.org/a?b=c)",
        'own__echo({"a": [1, 1.0, true], "b": "\\u00e9"})',
        "own__echo({})",
        "own__echo",
    ],
)
def test_a_rule_is_printed_as_it_is_read(text: str) -> None:
    assert str(parse_rule(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "run command",
        "run_command()",
        "run_command(git status",
        "run_command(git status) ",
        "run_command(git status )",
        "run_command( git status)",
        "run_command(git  status)",
        "run_command(git * status)",
        "run_command(git ** status)",
        "run_command(*)",
        "run_command([-x] git)",
        "run_command(git [status])",
        "run_command(git [-a)",
        "run_command(git [-a]b)",
        "run_command(git [-a -b])",
        "run_command(git status; ls)",
        "run_command(a|b)",
        "run_command(FOO=1 git status)",
        "run_command(if true)",
        "run_command('' x)",
        "run_command(ls $HOME)",
        'run_command(ls "$HOME")',
        "run_command(ls ~)",
        "run_command(ls a*b)",
        "run_command(ls é)",
        "run_command(ls\nrm)",
        "write_file()",
        "write_file(../x)",
        "write_file(src/../x)",
        "write_file(./x)",
        "write_file(src//x)",
        "write_file(src/)",
        "write_file(**/x)",
        "write_file(src/**.py)",
        "write_file(~/x)",
        "write_file(a b)",
        'write_file("a)',
        "write_file(a?b)",
        "fetch_url(example.org)",
        "fetch_url(ftp://example.org)",
        "fetch_url(HTTPS://example.org)",
        "fetch_url(https://Example.org)",
        "fetch_url(https://example.org:443)",
        "fetch_url(https://user@example.org)",
        "fetch_url(https://*.example.org)",
        "own__echo(a)",
        "own__echo([1])",
        'own__echo({"a": NaN})',
        "a" * 65,
    ],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(InvalidRule) as refused:
        parse_rule(text)
    assert len(str(refused.value)) > 10


def test_a_built_in_name_written_wrongly_is_told_from_a_server_tool() -> None:
    with pytest.raises(InvalidRule, match="none of the built-in ones"):
        parse_rule("run_comand(git status)")


@given(st.text(max_size=30))
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    for whole in (text, f"run_command({text})", f"write_file({text})", f"fetch_url({text})"):
        try:
            rule = parse_rule(whole)
        except InvalidRule:
            continue
        assert parse_rule(str(rule)) == rule


@given(st.lists(names, min_size=1, max_size=4), st.booleans())
def test_every_path_can_be_named_exactly(parts: list[str], inside: bool) -> None:
    path = ("/root/" if inside else "/") + "/".join(parts)
    if not inside and parts[0] == "root":
        return
    exact = PathPattern.exactly(path, "/root")
    assert exact.absolute is not inside
    again = parse_path(str(exact))
    assert again == exact
    assert again.allows(path, "/root")
    assert not again.allows(path + "x", "/root")
    assert not again.allows(path + "/x", "/root")
    assert not again.allows("/other" + path, "/root")


@given(st.dictionaries(st.text(max_size=6), json_values, max_size=4))
def test_arguments_are_printed_as_they_are_read(arguments: dict[str, object]) -> None:
    rule = Rule("a__b", ArgumentsPattern.of(arguments))
    assert parse_rule(str(rule)) == rule
    assert str(rule).isascii()


words = st.one_of(
    st.text(st.sampled_from("abcz09_@%+=:,./-"), min_size=1, max_size=8), ascii_text
).filter(lambda word: not ("'" in word and set(word) & set('"!$\\`')))


@given(
    st.text(st.sampled_from("abcz/._+-"), min_size=1, max_size=8).filter(
        lambda word: not word.startswith("-") and word not in ("do", "fi", "if", "in")
    ),
    st.lists(st.tuples(words, st.booleans()), max_size=5),
    st.sampled_from(["", "*", "**"]),
)
def test_commands_are_printed_as_they_are_read(
    program: str, rest: list[tuple[str, bool]], end: str
) -> None:
    items = [program, *(word for word, _ in rest)]
    optional = [False, *(may_lack and word.startswith("-") for word, may_lack in rest)]
    pattern = CommandPattern(items, optional, end)
    again = parse_command(str(pattern))
    assert again == pattern
    assert again.rest == end


@given(st.lists(words, min_size=1, max_size=5))
@settings(max_examples=60)
def test_the_shell_reads_plain_words_as_we_do(found: list[str]) -> None:
    """What is taken as plain gives a program exactly these words, in sh and in bash."""
    line = command_line(["printf", "%s\\0", *found])
    try:
        assert plain_words(line) == ("printf", "%s\\0", *found)
    except NotModelled:
        return
    for shell in ("sh", "bash"):
        done = subprocess.run([shell, "-c", line], capture_output=True, check=True, text=True)
        assert done.stdout == "".join(f"{word}\0" for word in found), shlex.join(found)


@given(st.text(max_size=40))
def test_whatever_is_taken_as_plain_has_nothing_that_a_shell_reads(command: str) -> None:
    try:
        found = plain_words(command)
    except NotModelled:
        return
    assert command.isascii()
    assert command.isprintable()
    assert list(found) == shlex.split(command)
