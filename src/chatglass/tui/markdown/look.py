"""How Markdown looks: rich styles from the colours of a Textual theme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pygments.token import Token, _TokenType
from rich.style import Style
from textual.color import Color, ColorParseError

_LEAST_CONTRAST = 4.5  # WCAG 2 AA, for text
_LEAST_MUTED = 3.5  # for what may stand back; AA asks 3 of large text


@dataclass(frozen=True, slots=True)
class MarkdownLook:
    """Styles to lay over one another. None sets a background but `code_block`."""

    text: Style = field(default_factory=Style)
    headings: tuple[Style, Style, Style, Style, Style, Style] = (
        Style(bold=True, underline=True),
        Style(bold=True),
        Style(bold=True, italic=True),
        Style(underline=True),
        Style(italic=True),
        Style(italic=True, dim=True),
    )
    strong: Style = field(default_factory=lambda: Style(bold=True))
    emphasis: Style = field(default_factory=lambda: Style(italic=True))
    strike: Style = field(default_factory=lambda: Style(strike=True))
    code: Style = field(default_factory=lambda: Style(bold=True))
    code_block: Style = field(default_factory=Style)
    code_tokens: tuple[tuple[_TokenType, Style], ...] = ()
    quote_bar: Style = field(default_factory=lambda: Style(dim=True))
    link: Style = field(default_factory=lambda: Style(underline=True))
    border: Style = field(default_factory=lambda: Style(dim=True))
    rule: Style = field(default_factory=lambda: Style(dim=True))
    bullet: Style = field(default_factory=Style)
    dim: Style = field(default_factory=lambda: Style(dim=True))
    _mixed: dict[object, Style] = field(
        default_factory=dict, init=False, repr=False, compare=False, hash=False
    )

    def mix(self, *styles: Style) -> Style:
        """`styles` laid over one another, remembered."""
        mixed = self._mixed.get(styles)
        if mixed is None:
            mixed = self._mixed[styles] = Style.combine(styles)
        return mixed

    def token(self, kind: _TokenType) -> Style:
        """The style of a pygments token on the background of a code block."""
        style = self._mixed.get(kind)
        if style is None:
            known = dict(self.code_tokens)
            near = next((known[k] for k in reversed(kind.split()) if k in known), Style())
            style = self._mixed[kind] = self.code_block + near
        return style

    @classmethod
    def from_theme_variables(
        cls, variables: Mapping[str, str], dark: bool, monochrome: bool = False
    ) -> MarkdownLook:
        """From `App.theme_variables`; `monochrome` uses attributes only (NO_COLOR)."""
        if monochrome:
            return cls(code_tokens=_monochrome_tokens())
        ink = _Ink(variables, dark)
        on = ink.on(ink.page)
        primary, accent = on("primary"), on("accent", "secondary")
        return cls(
            text=Style(color=ink.text.rich_color),
            headings=(
                Style(color=primary, bold=True, underline=True),
                Style(color=primary, bold=True),
                Style(color=primary, bold=True, italic=True),
                Style(color=primary, underline=True),
                Style(color=primary, italic=True),
                Style(color=ink.muted(ink.page), italic=True),
            ),
            code=Style(color=accent),
            code_block=Style(color=ink.text.rich_color, bgcolor=ink.code.rich_color),
            code_tokens=ink.tokens(),
            quote_bar=Style(color=primary),
            link=Style(color=primary, underline=True),
            border=Style(color=ink.muted(ink.page)),
            rule=Style(color=ink.muted(ink.page)),
            bullet=Style(color=primary),
            dim=Style(color=ink.muted(ink.page)),
        )


class _Ink:
    """The colours of a theme, each made legible on what it stands on."""

    def __init__(self, variables: Mapping[str, str], dark: bool) -> None:
        self._variables = variables
        self.page = self._named("background", default="#121212" if dark else "#e0e0e0")
        self.text = self._named("foreground", default="#e0e0e0" if dark else "#1f1f1f")
        self.plain = self.page.ansi is not None or self.text.ansi is not None
        """The terminal's own colours: nothing can be mixed from them."""
        self.code = self.page if self.plain else self.page.blend(self.text, 0.07, alpha=1)

    def _named(self, *names: str, default: str) -> Color:
        for name in names:
            try:
                return Color.parse(self._variables[name])
            except (KeyError, ColorParseError):  # a theme may leave it out, or say `auto 87%`
                continue
        return Color.parse(default)

    def on(self, ground: Color):
        """A function from names of variables, the best first, to the colour to write with on `ground`."""

        def legible(*names: str):
            colour = self._named(*names, "foreground", default="#808080")
            if self.plain or colour.ansi is not None:
                return colour.rich_color
            for _ in range(8):
                if _contrast(colour, ground) >= _LEAST_CONTRAST:
                    break
                colour = colour.blend(self.text, 0.25, alpha=1)
            return colour.rich_color

        return legible

    def muted(self, ground: Color):
        if self.plain:
            return Color.parse("ansi_bright_black").rich_color
        for part in (0.4, 0.3, 0.2, 0.1):
            colour = self.text.blend(ground, part, alpha=1)
            if _contrast(colour, ground) >= _LEAST_MUTED:
                return colour.rich_color
        return self.text.rich_color

    def tokens(self) -> tuple[tuple[_TokenType, Style], ...]:
        on = self.on(self.code)
        keyword, string, name = on("primary"), on("success"), on("accent", "secondary")
        number, error = on("warning", "accent"), on("error")
        comment = Style(color=self.muted(self.code), italic=True)
        return (
            (Token.Keyword, Style(color=keyword)),
            (Token.Operator.Word, Style(color=keyword)),
            (Token.Name.Tag, Style(color=keyword)),
            (Token.Name.Function, Style(color=name)),
            (Token.Name.Class, Style(color=name, bold=True)),
            (Token.Name.Decorator, Style(color=name)),
            (Token.Name.Attribute, Style(color=name)),
            (Token.Name.Builtin, Style(color=name)),
            (Token.Name.Exception, Style(color=error)),
            (Token.Literal.String, Style(color=string)),
            (Token.Literal.Number, Style(color=number)),
            (Token.Keyword.Constant, Style(color=number)),
            (Token.Comment, comment),
            (Token.Generic.Heading, Style(color=keyword, bold=True)),
            (Token.Generic.Inserted, Style(color=string)),
            (Token.Generic.Deleted, Style(color=error)),
            (Token.Generic.Output, comment),
            (Token.Generic.Prompt, comment),
        )


def _contrast(one: Color, other: Color) -> float:
    """https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio"""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _monochrome_tokens() -> tuple[tuple[_TokenType, Style], ...]:
    return (
        (Token.Keyword, Style(bold=True)),
        (Token.Name.Class, Style(bold=True)),
        (Token.Name.Function, Style(underline=True)),
        (Token.Comment, Style(italic=True)),
        (Token.Generic.Inserted, Style(bold=True)),
        (Token.Generic.Deleted, Style(strike=True)),
    )
