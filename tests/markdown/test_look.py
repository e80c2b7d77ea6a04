"""Colours: from any theme, legible, and none where there are none."""

from __future__ import annotations

import pytest
from rich.style import Style
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from chatglass.tui.markdown.document import MarkdownDocument
from chatglass.tui.markdown.look import MarkdownLook

TEXT = "# H\n\n*a* **b** `c` ~~d~~ [e](https://e.org)\n\n> q\n\n- i\n\n```python\ndef f(): return 'x', 1 # c\n```\n\n| a |\n|---|\n| b |\n\n---"


def styles(look: MarkdownLook) -> list[Style]:
    lines, _ = MarkdownDocument(TEXT).lines(60, look)
    return [style for line in lines for _, style, _ in line if style]


@pytest.mark.parametrize("name", BUILTIN_THEMES)
def test_text_is_legible_in_every_theme(name: str) -> None:
    theme = BUILTIN_THEMES[name]
    variables = theme.to_color_system().generate()
    look = MarkdownLook.from_theme_variables(variables, theme.dark)
    page = Color.parse(variables["background"])
    if page.ansi is not None:
        return
    for style in styles(look):
        if style.color is None or style.color.triplet is None:
            continue
        ground = Color(*style.bgcolor.triplet) if style.bgcolor and style.bgcolor.triplet else page
        assert contrast(Color(*style.color.triplet), ground) >= 3


def contrast(one: Color, other: Color) -> float:
    def luminance(colour: Color) -> float:
        parts = [
            p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in colour.normalized
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_terminals_own_colours_are_not_mixed() -> None:
    variables = {"background": "ansi_default", "foreground": "ansi_default", "primary": "ansi_blue"}
    used = styles(MarkdownLook.from_theme_variables(variables, dark=True))
    assert all(style.color.triplet is None for style in used if style.color)


def test_monochrome_uses_attributes_alone() -> None:
    used = styles(MarkdownLook.from_theme_variables({"primary": "#ff0000"}, True, monochrome=True))
    assert not any(style.color or style.bgcolor for style in used)
    assert any(style.bold for style in used)
    assert any(style.italic for style in used)


def test_looks_of_equal_colours_are_equal() -> None:
    assert MarkdownLook.from_theme_variables({}, True) == MarkdownLook.from_theme_variables(
        {}, True
    )
    assert MarkdownLook.from_theme_variables({}, True) != MarkdownLook.from_theme_variables(
        {}, False
    )
