"""The styles of the transcript, made once for a theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.style import Style
from textual.color import Color, ColorParseError
from textual.filter import LineFilter

from chatglass.tui.markdown.look import MarkdownLook


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """Compared by identity: lines painted with another look are painted again.

    All but `base` and `prompt` lie over one of these two.
    """

    base: Style
    prompt: Style
    background: Color
    bar: Style
    marker: Style
    you: Style
    model: Style
    text: Style
    muted: Style
    thinking: Style
    name: Style
    ok: Style
    failed: Style
    warned: Style
    running: Style
    error_block: Style
    error_advice: Style
    rule: Style
    found: Style
    found_current: Style
    selection: Style
    markdown: MarkdownLook
    filters: tuple[LineFilter, ...]
    still: bool
    """Nothing moves that only shows that something goes on."""


def make_look(
    variables: Mapping[str, str],
    *,
    foreground: Color,
    background: Color,
    dark: bool,
    monochrome: bool,
    selection: Style,
    filters: Sequence[LineFilter],
    still: bool = False,
) -> Look:
    """A look from the variables of a Textual theme and the widget's own two colours."""

    def color(*names: str) -> Color:
        for name in names:
            try:
                return Color.parse(variables[name])
            except (KeyError, ColorParseError):  # `auto 60%` is no colour by itself
                continue
        return foreground

    def over(*names: str, bold: bool | None = None) -> Style:
        return Style.from_color(color(*names).rich_color) + Style(bold=bold)

    def pair(text: str, ground: str) -> Style:
        return Style.from_color(color(text).rich_color, color(ground).rich_color)

    ansi = foreground.ansi is not None or background.ansi is not None
    # Blending is undefined for the terminal's own colours; there the terminal dims.
    muted = (
        Style(dim=True)
        if ansi
        else Style.from_color(background.blend(foreground, 0.62, alpha=1).rich_color)
    )
    tint = background if ansi else background.blend(color("primary"), 0.09, alpha=1)
    base = Style.from_color(foreground.rich_color, background.rich_color)
    return Look(
        base=base,
        prompt=Style.from_color(foreground.rich_color, tint.rich_color),
        background=background,
        bar=over("primary"),
        marker=over("accent", bold=True),
        you=over("text-primary", "primary", bold=True),
        model=over("text-accent", "accent", bold=True),
        text=Style.null(),
        muted=muted,
        thinking=muted + Style(italic=True),
        name=Style(bold=True),
        ok=over("text-success", "success"),
        failed=over("text-error", "error", bold=True),
        warned=over("text-warning", "warning"),
        running=over("text-primary", "primary", bold=True),
        error_block=pair("text-error", "error-muted") if not ansi else over("error"),
        error_advice=(
            Style.from_color(foreground.rich_color, color("error-muted").rich_color)
            if not ansi
            else Style.null()
        ),
        rule=over("primary-muted", "primary") if not ansi else Style(dim=True),
        found=Style(reverse=True) if monochrome or ansi else pair("text-warning", "warning-muted"),
        found_current=Style(reverse=True, bold=True, underline=True)
        if monochrome or ansi
        else Style.from_color(color("background").rich_color, color("warning").rich_color)
        + Style(bold=True, underline=True),
        selection=selection,
        markdown=MarkdownLook.from_theme_variables(dict(variables), dark, monochrome),
        filters=tuple(filters),
        still=still,
    )
