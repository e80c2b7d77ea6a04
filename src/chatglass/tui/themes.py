"""The program's own colour themes, beside those that Textual brings."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="chatglass-dark",
    primary="#7aa2f7",
    secondary="#9d7cd8",
    accent="#73daca",
    foreground="#c8d0e0",
    background="#13151c",
    surface="#191c25",
    panel="#222633",
    success="#9ece6a",
    warning="#e0af68",
    error="#f7768e",
    dark=True,
    variables={
        "footer-key-foreground": "#73daca",
        "input-selection-background": "#7aa2f7 35%",
        "scrollbar": "#3b4261",
        "scrollbar-background": "#13151c",
        "scrollbar-background-hover": "#191c25",
        "scrollbar-background-active": "#191c25",
        "scrollbar-corner-color": "#13151c",
    },
)

LIGHT = Theme(
    name="chatglass-light",
    primary="#2a5db0",
    secondary="#7847bd",
    accent="#0f766e",
    foreground="#1f2430",
    background="#fbfbf9",
    surface="#f3f3ef",
    panel="#e7e7e1",
    success="#3f7a1f",
    warning="#9a5b00",
    error="#c02942",
    dark=False,
    variables={
        "footer-key-foreground": "#0f766e",
        "input-selection-background": "#2a5db0 25%",
        "scrollbar": "#b9bcc4",
        "scrollbar-background": "#fbfbf9",
        "scrollbar-background-hover": "#f3f3ef",
        "scrollbar-background-active": "#f3f3ef",
        "scrollbar-corner-color": "#fbfbf9",
    },
)

THEMES = (DARK, LIGHT)
