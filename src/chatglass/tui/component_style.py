"""The styles of component classes, with their colours resolved.

Textual's own partial component style leaves out what a see-through (`$foreground 12%`) or
automatic (`$text-muted`) colour needs: the background it lies on. It gives white on white then.
"""

from __future__ import annotations

from rich.style import Style
from textual.color import Color
from textual.widget import Widget


def component_style(widget: Widget, *names: str) -> Style:
    """What the rules of these component classes set, and nothing else; colours are opaque."""
    rules = widget.get_component_styles(*names)
    resolved = widget.get_visual_style(*names)
    ground, text = resolved.background or Color(0, 0, 0), resolved.foreground or Color(0, 0, 0, 0)
    colored = rules.has_rule("color") or rules.has_rule("auto_color")
    style = Style.from_color(
        (ground + text).rich_color if colored else None,
        ground.rich_color if rules.has_rule("background") else None,
    )
    return style + rules.text_style
