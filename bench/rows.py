"""A row of the table of aims."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside what it is compared with, and the aim in words."""

    what: str
    figure: str
    compared: str
    aim: str


def ratio(value: float, base: float) -> str:
    return f"{value / base:.2f}×" if base else "—"
