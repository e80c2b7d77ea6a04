"""The form of an elicitation: fields out of the restricted schema that the protocol allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from chatglass.tools.tool import JsonObject

FieldKind = Literal["text", "number", "integer", "boolean", "choice", "choices"]
_MOST_FIELDS = 50
_MOST_CHOICES = 500


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One thing that is asked for. `minimum` and `maximum` bound a number's value, a text's length
    or how many choices are taken."""

    name: str
    label: str
    description: str = ""
    kind: FieldKind = "text"
    required: bool = False
    default: Any = None
    choices: tuple[Choice, ...] = ()
    format: str = ""
    """`email`, `uri`, `date` or `date-time`, where the server says so."""
    minimum: float | None = None
    maximum: float | None = None

    def problem(self, value: Any) -> str:
        """Why `value` is no answer; empty where it is one. None stands for no answer."""
        if value is None or value == "":
            return f"{self.label} is needed." if self.required else ""
        allowed = {choice.value for choice in self.choices}
        match self.kind:
            case "boolean":
                right = isinstance(value, bool)
            case "integer":
                right = isinstance(value, int) and not isinstance(value, bool)
            case "number":
                right = isinstance(value, int | float) and not isinstance(value, bool)
            case "choice":
                right = value in allowed
            case "choices":
                right = isinstance(value, list) and set(cast("list[Any]", value)) <= allowed
            case "text":
                right = isinstance(value, str)
        if not right:
            return f"{self.label}: {value!r} is not {_WANTED[self.kind]}."
        return self._out_of_bounds(value)

    def _out_of_bounds(self, value: Any) -> str:
        if self.kind in ("boolean", "choice"):
            return ""
        measure = value if self.kind in ("number", "integer") else len(value)
        unit = {"text": " characters", "choices": " choices"}.get(self.kind, "")
        if self.minimum is not None and measure < self.minimum:
            return f"{self.label}: at least {self.minimum:g}{unit}."
        if self.maximum is not None and measure > self.maximum:
            return f"{self.label}: at most {self.maximum:g}{unit}."
        return ""


_WANTED: dict[FieldKind, str] = {
    "text": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "yes or no",
    "choice": "one of the choices",
    "choices": "a list of the choices",
}


def form_fields(schema: Mapping[str, Any]) -> tuple[FormField, ...]:
    """The fields that `requestedSchema` asks for. What is not understood is asked for as text."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return ()
    required = schema.get("required")
    needed = cast("list[Any]", required) if isinstance(required, list) else []
    found = cast("dict[str, Any]", properties)
    return tuple(
        _field(name, cast("JsonObject", part), name in needed)
        for name, part in list(found.items())[:_MOST_FIELDS]
        if isinstance(part, dict)
    )


def form_problems(fields: Sequence[FormField], content: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the answers, by field."""
    problems = {field.name: field.problem(content.get(field.name)) for field in fields}
    return {name: text for name, text in problems.items() if text}


def _field(name: str, part: JsonObject, required: bool) -> FormField:
    items = part.get("items")
    choices = _choices(part)
    kind = cast("Any", part.get("type"))
    if kind == "array" and isinstance(items, dict):
        choices, kind = _choices(cast("JsonObject", items)), "choices"
    elif choices:
        kind = "choice"
    elif kind not in ("number", "integer", "boolean"):
        kind = "text"
    least, most = {
        "text": ("minLength", "maxLength"),
        "choices": ("minItems", "maxItems"),
    }.get(kind, ("minimum", "maximum"))
    return FormField(
        name=name,
        label=str(part.get("title") or name),
        description=str(part.get("description") or ""),
        kind=kind,
        required=required,
        default=part.get("default"),
        choices=choices,
        format=str(part.get("format") or ""),
        minimum=_number(part.get(least)),
        maximum=_number(part.get(most)),
    )


def _choices(part: JsonObject) -> tuple[Choice, ...]:
    """`enum` with or without `enumNames`, or `oneOf`/`anyOf` of titled constants."""
    titled = part.get("oneOf") or part.get("anyOf")
    if isinstance(titled, list):
        options: list[JsonObject] = [
            item for item in cast("list[Any]", titled)[:_MOST_CHOICES] if isinstance(item, dict)
        ]
        return tuple(
            Choice(str(option["const"]), str(option.get("title") or option["const"]))
            for option in options
            if "const" in option
        )
    values = part.get("enum")
    if not isinstance(values, list):
        return ()
    shown = [str(value) for value in cast("list[Any]", values)[:_MOST_CHOICES]]
    names = part.get("enumNames")
    labels = [str(name) for name in cast("list[Any]", names)] if isinstance(names, list) else []
    labels += shown[len(labels) :]
    return tuple(Choice(value, label) for value, label in zip(shown, labels, strict=False))


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
