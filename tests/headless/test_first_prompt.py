"""A prompt that stands alone on the command line."""

from __future__ import annotations

import pytest

from chatglass.cli import parse
from headless.program import Program
from plain.test_plain import talk


@pytest.mark.parametrize("arguments", [["-p", "--no-tools", "a b"], ["a b", "-p", "--no-tools"]])
def test_it_is_the_text_of_print(arguments: list[str]) -> None:
    options = parse(arguments)
    assert (options.prompt, options.text) == ("a b", "")


def test_it_is_sent_first_otherwise() -> None:
    options = parse(["-c", "a b"])
    assert (options.prompt, options.text) == (None, "a b")


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["sesions"], "Did you mean sessions?"),
        (["-p", "one", "two"], "-p has its prompt already"),
        (["two", "-r"], "a prompt needs the id"),
        (["two", "words"], "unrecognized arguments: words"),
    ],
)
def test_what_can_not_be_meant_is_refused(
    arguments: list[str], cause: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    assert cause in capsys.readouterr().err


async def test_the_talk_in_lines_begins_with_it(chatglass: Program) -> None:
    done = await talk(chatglass, "/quit", flags=("--no-tools", "hello there"))
    lines = done.out.splitlines()
    assert "You: hello there" in lines
    assert any(line.startswith("Assistant: ") for line in lines)
