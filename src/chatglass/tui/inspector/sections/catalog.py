"""All sections of a call, in the order in which they are shown and numbered."""

from __future__ import annotations

from typing import get_args

from chatglass.tui.inspector.sections.arguments import Arguments
from chatglass.tui.inspector.sections.error import Error
from chatglass.tui.inspector.sections.result import Result
from chatglass.tui.inspector.sections.section import Section, SectionName
from chatglass.tui.inspector.sections.seen import Seen
from chatglass.tui.inspector.sections.times import Times

SECTIONS: dict[SectionName, Section] = {
    section.name: section for section in (Arguments(), Result(), Seen(), Error(), Times())
}
NAMES: tuple[SectionName, ...] = tuple(SECTIONS)
assert get_args(SectionName) == NAMES
