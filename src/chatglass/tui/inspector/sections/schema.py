"""What the tool of a call takes, and what of the call did not fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chatglass.tui.inspector.marked_text import MarkedText
from chatglass.tui.inspector.sections.call_facts import CallFacts
from chatglass.tui.inspector.sections.section import Shown

if TYPE_CHECKING:
    from chatglass.chat.call_schema import CallSchema


class Schema:
    name = "schema"
    label = "schema"
    of_result = False

    def is_ready(self, facts: CallFacts) -> bool:
        return facts.schema is not None

    async def read(self, facts: CallFacts) -> None:
        facts.schema = await facts.source.schema(facts.call)

    def show(self, facts: CallFacts) -> Shown:
        schema = facts.schema
        assert schema is not None
        text = MarkedText()
        _add_fit(text, schema)
        text.line()
        text.fact("tool", facts.call.name)
        if facts.call.server:
            text.fact("server", f"{facts.call.server}, which calls it {schema.own_name or '—'}")
        if schema.hints:
            text.fact("hints", f"the server says: {schema.hints} (it lowers no guard)")
        if schema.spec is None:
            text.fact("now", "this tool is no longer there", "bad")
        elif schema.spec.own:
            text.fact("from", schema.spec.own)
        text.line().line("description", "heading")
        text.line(schema.description or "none").line()
        _add_parameters(text, schema)
        count = len(schema.misfits) or int(bool(schema.unreadable))
        note = f"✗ {count} did not fit" if count else "✓ the arguments fit"
        return Shown(text.text, "text", note, marks=text.marks)


def _add_fit(text: MarkedText, schema: CallSchema) -> None:
    if schema.unreadable:
        text.line(f"✗ {schema.unreadable}", "bad")
    elif not schema.misfits:
        known = schema.parameters is not None
        text.line(
            "✓ The arguments fit the schema." if known else "The schema is not known.", "good"
        )
    for misfit in schema.misfits:
        text.line(f"✗ {misfit.path}", "bad")
        text.fact("  expected", misfit.expected)
        text.fact("  got", misfit.got)


def _add_parameters(text: MarkedText, schema: CallSchema) -> None:
    wrong = {misfit.path.split(".")[0] for misfit in schema.misfits}
    sent = schema.parameters
    if sent is not None:
        heading = "as sent to the model" if schema.sent is not None else "as it would be sent now"
        text.line(heading, "heading")
        _add_json(text, sent, wrong)
    if schema.declared is not None and schema.declared != sent:
        text.line().line("as the server declares it", "heading")
        _add_json(text, schema.declared, wrong)


def _add_json(text: MarkedText, value: Mapping[str, Any], wrong: set[str]) -> None:
    """Laid out, with the parameters marked that did not fit."""
    for line in json.dumps(value, ensure_ascii=False, indent=2).split("\n"):
        name = line.strip().partition('"')[2].partition('":')[0]
        is_wrong = name in wrong and line.endswith("{")
        text.line(line, "bad" if is_wrong else None)
