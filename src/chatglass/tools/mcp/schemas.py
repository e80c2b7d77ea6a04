"""JSON Schemas of servers, brought into what endpoints accept, and arguments held against them.

Endpoints want an object at the top, without `oneOf` and its like beside it, without references,
with property names of `[a-zA-Z0-9_.-]{1,64}`, and arrays that say what they hold. The server's own
schema is kept for display and remains the one that counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from chatglass.tools.mcp.naming import fitted_name
from chatglass.tools.tool import JsonObject

_DEEPEST = 24
_LONGEST_SHOWN = 80
"""Characters of a value that does not fit."""
_MOST_NODES = 5_000
"""References that fan out would otherwise grow without end."""
_DROPPED = frozenset({"$schema", "$id", "$anchor", "$defs", "definitions", "$comment"})
_VERBATIM = frozenset({"default", "const", "enum", "examples", "required"})
_OF_SCHEMAS = frozenset({"properties", "patternProperties", "dependentSchemas"})
_COMBINED = ("allOf", "anyOf", "oneOf")


@dataclass(frozen=True, slots=True)
class AdaptedSchema:
    """`parameters` as endpoints take it; `renamed` maps a property's new name to the server's."""

    parameters: JsonObject
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])

    def restore(self, arguments: JsonObject) -> JsonObject:
        """The arguments under the server's own names."""
        if not self.renamed:
            return arguments
        return {self.renamed.get(name, name): value for name, value in arguments.items()}


def adapt_schema(schema: Mapping[str, Any]) -> AdaptedSchema:
    """What an endpoint is told of a tool whose arguments are described by `schema`."""
    flat = _Flattening(schema).flatten(dict(schema))
    top = cast("JsonObject", flat) if isinstance(flat, dict) else {}
    top = _merged_top(top)
    renamed: dict[str, str] = {}
    properties: JsonObject = {}
    for name, value in _object(top["properties"]).items():
        fitted = fitted_name(name, properties)
        properties[fitted] = value if isinstance(value, dict) else {}
        if fitted != name:
            renamed[fitted] = name
    back = {own: fitted for fitted, own in renamed.items()}
    top["properties"] = properties
    if "required" in top:
        required = [back.get(name, name) for name in top["required"]]
        top["required"] = [name for name in required if name in properties]
    return AdaptedSchema(top, renamed)


class _Flattening:
    """Puts references in place; a recursive or foreign one becomes `{}` (anything)."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = _MOST_NODES

    def flatten(self, schema: Any, depth: int = 0, open_references: tuple[str, ...] = ()) -> Any:
        # A long text or list weighs more: a reference may repeat it many times.
        self._left -= 1 + (len(schema) // 50 if isinstance(schema, str) else 0)
        if not isinstance(schema, dict):
            # `true` and `false` are schemas too; endpoints want objects.
            return {} if isinstance(schema, bool) else schema
        if depth > _DEEPEST or self._left < 0:
            return {}
        found = cast("JsonObject", schema)
        reference = found.get("$ref")
        if isinstance(reference, str):
            target = None if reference in open_references else resolve(self._root, reference)
            if target is None:
                return {}
            beside = {key: value for key, value in found.items() if key != "$ref"}
            return self.flatten({**target, **beside}, depth + 1, (*open_references, reference))
        result: JsonObject = {}
        for key, value in found.items():
            if key in _DROPPED:
                continue
            if key in _VERBATIM:
                self._left -= len(cast("list[Any]", value)) if isinstance(value, list | dict) else 1
                result[key] = value
            elif key in _OF_SCHEMAS and isinstance(value, dict):
                result[key] = {
                    name: self.flatten(part, depth + 1, open_references)
                    for name, part in cast("JsonObject", value).items()
                }
            elif isinstance(value, list):
                result[key] = [
                    self.flatten(part, depth + 1, open_references)
                    for part in cast("list[Any]", value)
                ]
            elif isinstance(value, dict):
                result[key] = self.flatten(value, depth + 1, open_references)
            else:
                result[key] = value
        if result.get("type") == "array":
            result.setdefault("items", {})
        return result


def resolve(root: Mapping[str, Any], reference: str) -> JsonObject | None:
    """The part of `root` that a local reference (`#/$defs/x`, RFC 6901) names; None elsewhere."""
    if not reference.startswith("#"):
        return None
    found: Any = root
    for part in reference[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or name not in found:
            return None
        found = cast("JsonObject", found)[name]
    return cast("JsonObject", found) if isinstance(found, dict) else None


def _merged_top(top: JsonObject) -> JsonObject:
    """One object: the properties of all alternatives, of which only what each requires is required."""
    properties = dict(_object(top.get("properties")))
    required = _required(top)
    for key in _COMBINED:
        parts = [
            _merged_top(cast("JsonObject", part))
            for part in _list(top.get(key))
            if isinstance(part, dict)
        ]
        if not parts:
            continue
        for part in parts:
            for name, value in part["properties"].items():
                properties.setdefault(name, value)
        needed = [_required(part) for part in parts]
        common = (
            set[str]().union(*needed) if key == "allOf" else set(needed[0]).intersection(*needed)
        )
        required += [name for name in properties if name in common and name not in required]
    dropped = {*_COMBINED, "not", "enum", "const", "if", "then", "else", "required"}
    merged = {key: value for key, value in top.items() if key not in dropped}
    merged |= {"type": "object", "properties": properties}
    if required:
        merged["required"] = required
    return merged


def _required(schema: JsonObject) -> list[str]:
    return [name for name in _list(schema.get("required")) if isinstance(name, str)]


def _object(value: Any) -> JsonObject:
    """A schema is foreign: what should be an object may be anything."""
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


# -- arguments

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def misfits(schema: Mapping[str, Any], arguments: JsonObject) -> list[str]:
    """What of `arguments` does not fit, a sentence each; empty where nothing is found.

    Types, `required`, `enum`, `const`, `properties`, `items`, `additionalProperties: false` and
    the combining keywords; `pattern` and the rest are the server's to judge: a pattern of a
    server, run here, could hold up the program.
    """
    return [misfit.text for misfit in misfits_of(schema, arguments)]


@dataclass(frozen=True, slots=True)
class Misfit:
    """What does not fit, where: `path` is that of the argument (`options.depth`)."""

    path: str
    expected: str
    got: str
    text: str
    """The same as a sentence."""


def misfits_of(schema: Mapping[str, Any], arguments: JsonObject) -> list[Misfit]:
    """`misfits` in parts, at most 20."""
    return _Fit(schema).of(schema, arguments, "arguments", 0)[:20]


class _Fit:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = _MOST_NODES

    def of(self, schema: Any, value: Any, place: str, depth: int) -> list[Misfit]:
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST or not isinstance(schema, dict):
            return []
        found = cast("JsonObject", schema)
        if isinstance(reference := found.get("$ref"), str):
            target = resolve(self._root, reference)
            return [] if target is None else self.of(target, value, place, depth + 1)
        wrong = _wrong_value(found, value, place)
        if wrong:
            return [wrong]
        lines = self._combined(found, value, place, depth)
        if isinstance(value, dict):
            lines += self._members(found, cast("JsonObject", value), place, depth)
        elif isinstance(value, list):
            for index, item in enumerate(cast("list[Any]", value)[:1_000]):
                lines += self.of(found.get("items"), item, f"{place}.{index}", depth + 1)
        return lines

    def _combined(self, schema: JsonObject, value: Any, place: str, depth: int) -> list[Misfit]:
        lines: list[Misfit] = []
        for part in _list(schema.get("allOf")):
            lines += self.of(part, value, place, depth + 1)
        for key in ("anyOf", "oneOf"):
            tried = [self.of(part, value, place, depth + 1) for part in _list(schema.get(key))]
            if tried and all(tried):
                lines += min(tried, key=len)
        return lines

    def _members(
        self, schema: JsonObject, value: JsonObject, place: str, depth: int
    ) -> list[Misfit]:
        prefix = "" if place == "arguments" else f"{place}."
        known = _object(schema.get("properties"))
        lines = [
            Misfit(
                f"{prefix}{name}",
                _expected(known.get(name)),
                "nothing",
                f"{prefix}{name}: missing.",
            )
            for name in _required(schema)
            if name not in value
        ]
        closed = schema.get("additionalProperties") is False and "patternProperties" not in schema
        for name, part in value.items():
            if name in known:
                lines += self.of(known[name], part, f"{prefix}{name}", depth + 1)
            elif closed:
                takes = ", ".join(known) or "nothing"
                path = f"{prefix}{name}"
                text = f"{path}: there is no such argument. It takes: {takes}."
                lines.append(Misfit(path, f"one of: {takes}", f"an argument {name}", text))
        return lines


def _expected(schema: Any) -> str:
    """What a schema takes, in a few words."""
    found = _object(schema)
    if "const" in found:
        return repr(found["const"])
    if choices := _list(found.get("enum")):
        return "one of " + ", ".join(map(repr, choices[:20]))
    given = found.get("type")
    kinds = cast("list[Any]", given) if isinstance(given, list) else [given]
    return " or ".join(kind for kind in kinds if isinstance(kind, str)) or "a value"


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _wrong_value(schema: JsonObject, value: Any, place: str) -> Misfit | None:
    given = schema.get("type")
    named = cast("list[Any]", given) if isinstance(given, list) else [given]
    kinds = [kind for kind in named if isinstance(kind, str) and kind in _TYPES]
    if kinds and not any(_is(value, kind) for kind in kinds):
        expected = " or ".join(kinds)
        text = f"{place}: must be {expected}, not {_kind(value)}."
        return Misfit(place, expected, f"{_kind(value)} {_brief(value)}", text)
    choices = schema.get("enum")
    if isinstance(choices, list) and value not in choices:
        shown = ", ".join(map(repr, cast("list[Any]", choices)[:20]))
        return Misfit(place, f"one of {shown}", _brief(value), f"{place}: must be one of {shown}.")
    if "const" in schema and value != schema["const"]:
        expected = repr(schema["const"])
        return Misfit(place, expected, _brief(value), f"{place}: must be {expected}.")
    return None


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[kind])


def _kind(value: Any) -> str:
    return next(
        kind for kind in ("null", "boolean", "integer", "number", *_TYPES) if _is(value, kind)
    )
