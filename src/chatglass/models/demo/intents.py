"""What a prompt asks the tools for: a list of stages, each a list of calls made at once.

"A and B" are two calls of one stage; "A, then B" are two stages. Each clause of the prompt is
searched for the forms below, from the one that takes the rest of its line (writing) to the one
that is found anywhere (arithmetic); what a form has taken, later ones don't see.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

_PATH = r"(?P<path>[\w./~-]*\w[\w./~-]*)"
_QUOTED = (
    r"(?:`(?P<tick>[^`]+)`|\"(?P<double>[^\"]+)\"|'(?P<single>[^']+)'|(?P<bare>[^\s,;?`\"']+))"
)

_WRITE = re.compile(
    r"\b(?:write|create|make|save)\s+(?:me\s+)?(?:a\s+|the\s+)?(?:new\s+)?(?:file|note|text)"
    rf"(?:\s+(?:called|named|to|in))?\s+[`\"']?{_PATH}[`\"']?\s+"
    r"(?:saying|containing|that says|with(?:\s+the)?(?:\s+(?:text|content|words))?)\s*:?\s*(?P<text>.+)",
    re.IGNORECASE | re.DOTALL,
)
_FETCH = re.compile(
    r"\b(?:fetch|download|get|open|read|load)\s+(?:the\s+)?(?:page\s+|url\s+)?(?P<url>https?://[^\s`\"'<>]+)",
    re.IGNORECASE,
)
_RUN = re.compile(
    r"\b(?:run|execute)\s*:?\s+(?:the\s+)?(?:shell\s+)?(?:command\s+)?(?:`(?P<tick>[^`]+)`|\"(?P<quoted>[^\"\n]+)\"|(?P<bare>[^`\n]+?))"
    r"(?=\s*(?:,|;|\?|$|\band\b|\n))",
    re.IGNORECASE,
)
_TOOL = re.compile(
    r"\b(?:use|call)\s+(?:the\s+)?tool\s+[`\"']?(?P<name>[\w-]+)[`\"']?(?:\s+with\s+(?P<arguments>\{.*\}))?",
    re.IGNORECASE | re.DOTALL,
)
_SEARCH = re.compile(
    rf"\b(?:search(?:\s+(?:the\s+)?(?:files|folder|code|project))?\s+for|grep(?:\s+for)?)\s+{_QUOTED}"
    r"(?:\s+in\s+(?:the\s+)?(?:folder\s+|directory\s+)?[`\"']?(?P<path>[\w./~-]*[\w/])[`\"']?)?",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"\b(?:list|show)\s+(?:me\s+)?(?:all\s+)?(?:the\s+|my\s+)?(?:files|folder|directory|contents)"
    r"(?:\s+(?:in|of|under)\s+(?:the\s+)?(?:folder\s+|directory\s+)?[`\"']?(?P<path>[\w./~-]*[\w./])[`\"']?)?"
    r"|\b(?:what|which)\s+files\b(?:[^.?!,;]*?\bin\s+[`\"']?(?P<where>[\w.~-]*/[\w./~-]*)[`\"']?)?",
    re.IGNORECASE,
)
_FILE = r"[`\"']?(?:[\w./~-]*\w\.\w+|\.{0,2}/[\w./-]+|README|LICENSE|Makefile|CHANGELOG)[`\"']?"
_READ = re.compile(
    r"\b(?:read|open|show|print|cat|summari[sz]e)\s+(?:me\s+)?(?:the\s+)?(?:files?\s+)?"
    rf"(?P<paths>{_FILE}(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+){_FILE})*)",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\bwhat(?:'s|\s+is)?\s+(?:the\s+)?(?:current\s+)?(?:local\s+)?(?:time|date|day)\b|"
    r"\b(?:current|local)\s+(?:time|date)\b|\btell\s+me\s+the\s+time\b|\bwhat\s+day\b",
    re.IGNORECASE,
)
_ZONE = re.compile(r"\b(?:in|for)\s+([A-Z][\w/+-]*(?:[ _][A-Z]\w*)?)|\b(UTC)\b")
_OPERAND = r"[-(\s]*\d[\d.]*[)\s]*"
_SUM = re.compile(
    rf"(?<![\w./-])[-(]*\d[\d.]*[)\s]*(?:(?:\*\*|//|[-+*/%^×÷x]){_OPERAND})+(?![\w/])"
)
_THEN = re.compile(r"[,;.]?\s+(?:and\s+)?then\s+|;\s+after\s+that,?\s+", re.IGNORECASE)

_ZONES = {
    "amsterdam": "Europe/Amsterdam",
    "berlin": "Europe/Berlin",
    "london": "Europe/London",
    "new york": "America/New_York",
    "paris": "Europe/Paris",
    "san francisco": "America/Los_Angeles",
    "sydney": "Australia/Sydney",
    "tokyo": "Asia/Tokyo",
    "utc": "UTC",
    "vienna": "Europe/Vienna",
    "zurich": "Europe/Zurich",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """One call that a prompt asks for."""

    name: str
    arguments: Mapping[str, Any]

    @property
    def arguments_json(self) -> str:
        return json.dumps(dict(self.arguments), ensure_ascii=False)


Finder = Callable[[re.Match[str]], Sequence[Wish]]


def stages(prompt: str, tools: Sequence[Mapping[str, Any]] = ()) -> list[list[Wish]]:
    """The calls that `prompt` asks for, whether or not such tools are there.

    `tools` is the request's own array, in which "use tool NAME" looks up what NAME needs.
    """
    found: list[list[Wish]] = []
    pending = ""
    for clause in _clauses(prompt):
        pending = f"{pending} then {clause}" if pending else clause
        wishes = _wishes(pending, tools)
        if wishes:
            found.append(wishes)
            pending = ""
    return found


def _clauses(prompt: str) -> list[str]:
    """`prompt` cut at "then", but not in what is to be written to a file or stands in quotes."""
    write = _WRITE.search(prompt)
    until = write.start("text") if write else len(prompt)
    quoted = [m.span() for m in re.finditer(r"`[^`]*`|\"[^\"]*\"", prompt)]
    cuts = [
        match.span()
        for match in _THEN.finditer(prompt, 0, until)
        if not any(start < match.start() < end for start, end in quoted)
    ]
    edges = [0, *(edge for cut in cuts for edge in cut), len(prompt)]
    return [prompt[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _wishes(clause: str, tools: Sequence[Mapping[str, Any]]) -> list[Wish]:
    placed: list[tuple[int, Wish]] = []
    rest = clause
    forms: list[tuple[re.Pattern[str], Finder]] = [
        (_TOOL, lambda m: _named_tool(m, tools)),
        (_WRITE, _write),
        (_FETCH, lambda m: [Wish("fetch_url", {"url": m["url"].rstrip(".,;:!?)")})]),
        (
            _RUN,
            lambda m: [
                Wish("run_command", {"command": (m["tick"] or m["quoted"] or m["bare"]).strip()})
            ],
        ),
        (_SEARCH, _search),
        (_LIST, lambda m: [Wish("list_directory", {"path": m["path"] or m["where"] or "."})]),
        (_READ, _read),
        (_TIME, lambda m: [_time(clause, m.end())]),
        (_SUM, _calculate),
    ]
    for pattern, wish in forms:
        for match in pattern.finditer(rest):
            placed += ((match.start(), made) for made in wish(match))
        rest = pattern.sub(lambda match: " " * len(match.group()), rest)
    placed.sort(key=lambda entry: entry[0])
    return [wish for _, wish in placed]


def _write(match: re.Match[str]) -> list[Wish]:
    text = match["text"].strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "`\"'":
        text = text[1:-1]
    return [Wish("write_file", {"path": match["path"], "content": text})]


def _search(match: re.Match[str]) -> list[Wish]:
    pattern = match["tick"] or match["double"] or match["single"] or match["bare"].rstrip(".!?")
    return [Wish("search_files", {"pattern": pattern, "path": match["path"] or "."})]


def _read(match: re.Match[str]) -> list[Wish]:
    paths = re.findall(_FILE, match["paths"], re.IGNORECASE)
    return [Wish("read_file", {"path": path.strip("`\"'")}) for path in paths]


def _time(clause: str, after: int) -> Wish:
    zone = _ZONE.search(clause, after)
    if zone is None:
        return Wish("current_time", {})
    name = zone[1] or zone[2]
    if "/" in name:
        return Wish("current_time", {"timezone": name})
    known = _ZONES.get(name.lower()) or _ZONES.get(name.split()[0].lower())
    return Wish("current_time", {"timezone": known} if known else {})


def _calculate(match: re.Match[str]) -> list[Wish]:
    expression = re.sub(r"\s+", " ", match.group()).strip()
    if re.fullmatch(r"[\d-]+", expression):
        return []  # a date or a number, not a sum
    for sign, operator in (("×", "*"), ("÷", "/"), ("x", "*"), ("^", "**")):
        expression = expression.replace(sign, operator)
    if expression.count("(") != expression.count(")"):
        expression = expression.replace("(", "").replace(")", "")
    return [Wish("calculate", {"expression": expression})]


def _named_tool(match: re.Match[str], tools: Sequence[Mapping[str, Any]]) -> list[Wish]:
    """The tool named outright, with the given arguments or the least that its schema asks for."""
    if match["arguments"]:
        try:
            given: Any = json.loads(match["arguments"])
        except ValueError:
            given = None
        if isinstance(given, dict):
            return [Wish(match["name"], cast("dict[str, Any]", given))]
    for tool in tools:
        function = tool.get("function", {})
        if function.get("name") == match["name"]:
            return [Wish(match["name"], _least(function.get("parameters") or {}))]
    return [Wish(match["name"], {})]


def _least(schema: Mapping[str, Any]) -> dict[str, Any]:
    properties: Mapping[str, Any] = schema.get("properties") or {}
    return {name: _sample(properties.get(name) or {}) for name in schema.get("required") or ()}


def _sample(schema: Mapping[str, Any]) -> object:
    if schema.get("enum"):
        return schema["enum"][0]
    if "default" in schema:
        return schema["default"]
    match schema.get("type"):
        case "integer" | "number":
            return 1
        case "boolean":
            return True
        case "array":
            return []
        case "object":
            return _least(schema)
        case _:
            return "demo"
