"""The JSON Schema of a typed function's arguments, and their validation.

pydantic makes the schema and validates; both are brought into the form that models read best:
a compact schema without titles and references, and errors that name each wrong argument.
"""

from __future__ import annotations

import difflib
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from chatglass.tools.tool import InvalidArguments, JsonObject


class ArgumentSchema:
    """What a function takes after its first `skip` parameters.

    Descriptions come from `Annotated[T, "text"]` (or pydantic's `Field(description=...)`), else from
    `about`, by parameter; the description of the whole is the docstring where none is given.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        skip: int = 0,
        description: str | None = None,
        about: Mapping[str, str] | None = None,
    ) -> None:
        self.name = function.__name__
        docstring = inspect.cleandoc(function.__doc__ or "").strip()
        self.description = docstring if description is None else description
        self._adapter = TypeAdapter(_model_of(function, skip, about or {}))
        schema = self._adapter.json_schema()
        self.parameters: JsonObject = _compact(schema, schema.pop("$defs", {}))
        self.parameters.pop("description", None)
        self.parameters.setdefault("properties", {})

    def validate(self, arguments: Mapping[str, Any]) -> JsonObject:
        """All arguments as JSON values, defaults included. Raises InvalidArguments."""
        return self._parse(arguments).model_dump(mode="json")

    def bind(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """All arguments as Python values, for the call. Raises InvalidArguments."""
        model = self._parse(arguments)
        return {name: getattr(model, name) for name in type(model).model_fields}

    def _parse(self, arguments: Mapping[str, Any]) -> BaseModel:
        given = without_idle_nulls(self.parameters, arguments)
        try:
            return self._adapter.validate_python(given)
        except ValidationError as error:
            raise InvalidArguments(self._explain(error)) from None

    def _explain(self, error: ValidationError) -> str:
        properties = cast("JsonObject", self.parameters["properties"])
        lines: list[str] = []
        for item in error.errors(include_url=False, include_context=False):
            path = ".".join(str(part) for part in item["loc"]) or "arguments"
            argument = str(item["loc"][0]) if item["loc"] else ""
            if item["type"] == "extra_forbidden" and len(item["loc"]) == 1:
                lines.append(f"- {path}: there is no such argument.{_nearest(path, properties)}")
            elif item["type"] == "missing":
                expected = _expectation(properties.get(argument, {}))
                lines.append(f"- {path}: missing; expected {expected}.")
            else:
                message = item["msg"][:1].lower() + item["msg"][1:]
                given = _brief(item["input"])
                lines.append(f"- {path}: {message}; got {given}.")
        takes = ", ".join(
            f"{name} ({_expectation(schema)})"
            if name in self.parameters.get("required", [])
            else f"{name} (optional {_expectation(schema)})"
            for name, schema in properties.items()
        )
        return "\n".join(
            [f"The arguments do not fit {self.name}:", *lines, f"It takes: {takes or 'nothing'}."]
        )


def without_idle_nulls(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> JsonObject:
    """Models write `null` for what they leave out: it counts as absent where null is no value."""
    properties = cast("JsonObject", schema["properties"])
    required = cast("list[str]", schema.get("required", []))
    return {
        name: value
        for name, value in arguments.items()
        if value is not None
        or name in required
        or name not in properties
        or _takes_null(properties[name])
    }


def _model_of(function: Callable[..., Any], skip: int, about: Mapping[str, str]) -> type[BaseModel]:
    hints = typing.get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in list(inspect.signature(function).parameters.values())[skip:]:
        annotation = _with_description(hints[parameter.name], about.get(parameter.name, ""))
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (annotation, default)
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=False)
    return create_model(function.__name__, __config__=config, **fields)


def _with_description(annotation: Any, about: str) -> Any:
    """`Annotated[T, "text"]` as pydantic wants it, or with `about`; other metadata stays."""
    metadata: list[Any] = []
    if get_origin(annotation) is Annotated:
        annotation, *metadata = get_args(annotation)
    for place, value in enumerate(metadata):
        if isinstance(value, str):
            metadata[place] = Field(description=value)
    if about and not any(getattr(each, "description", None) for each in metadata):
        # In front: of two descriptions pydantic takes the last, as that of a default's Field.
        metadata.insert(0, Field(description=about))
    return Annotated[(annotation, *metadata)] if metadata else annotation


def _compact(
    schema: Any, definitions: Mapping[str, Any], open_references: tuple[str, ...] = ()
) -> Any:
    """`schema` without titles, its references put in place. A recursive one becomes `{}` (anything)."""
    if isinstance(schema, list):
        return [_compact(item, definitions, open_references) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    found = cast("JsonObject", schema)
    reference = found.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        if name in open_references:
            return {}
        target = {**definitions[name], **{k: v for k, v in found.items() if k != "$ref"}}
        return _compact(target, definitions, (*open_references, name))
    result: JsonObject = {}
    for key, value in found.items():
        if key == "title" and isinstance(value, str):
            continue
        # A value that an argument may have is no schema, whatever its keys.
        verbatim = key in ("default", "const", "enum", "examples")
        result[key] = value if verbatim else _compact(value, definitions, open_references)
    return result


def _takes_null(schema: Any) -> bool:
    found = cast("JsonObject", schema)
    return (
        found.get("type") == "null"
        or not ({"type", "anyOf", "enum", "const"} & found.keys())
        or any(_takes_null(part) for part in found.get("anyOf", []))
    )


def _expectation(schema: JsonObject) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(repr(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_expectation(part) for part in schema["anyOf"])
    return str(schema.get("type", "any value"))


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" Did you mean {nearest[0]}?" if nearest else ""


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
