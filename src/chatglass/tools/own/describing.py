"""Functions as tools: which of a module count, their schemas, and what is wrong with the others.

Runs in the worker process, where the user's code is imported.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

from docstring_parser import Docstring, ParseError, parse
from pydantic import PydanticUserError
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError

from chatglass.tools.own.marking import Marks, is_marked, marks_of
from chatglass.tools.schema import ArgumentSchema
from chatglass.tools.tool import JsonObject

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_LONGEST_DESCRIPTION = 1_024
"""OpenAI refuses longer ones."""
_HIDE = "Give it a name with _ in front if it is no tool, or name the tools in __all__."


@dataclass(frozen=True, slots=True)
class OwnFunction:
    """A function that can be called as a tool."""

    function: Callable[..., Any]
    schema: ArgumentSchema
    marks: Marks

    @property
    def name(self) -> str:
        return self.marks.name or self.schema.name

    def described(self) -> JsonObject:
        """For the app."""
        marks = self.marks
        return {
            "name": self.name,
            "description": self.schema.description,
            "parameters": self.schema.parameters,
            "timeout_s": marks.timeout_s,
            "read_only": marks.read_only,
            "parallel": marks.parallel,
        }


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a function is no tool, and what to do about it."""

    function: str
    cause: str
    advice: str

    def __str__(self) -> str:
        return f"{self.function}: {self.cause}. {self.advice}".rstrip()


class NoTool(Exception):
    """Why a function can't be a tool."""

    def __init__(self, cause: str, advice: str = "") -> None:
        super().__init__(cause)
        self.cause, self.advice = cause, advice


def functions_of(given: object) -> list[tuple[str, object]]:
    """What counts as a tool of a module, a function, or a list of functions, by name.

    Of a module: what `__all__` names, else its public functions that were defined in it, and those
    that are marked.
    """
    if isinstance(given, ModuleType):
        return _of_module(given)
    if callable(given):
        return [(_name(given), given)]
    if isinstance(given, Iterable) and not isinstance(given, str | bytes | dict):
        return [(_name(each), each) for each in cast("Iterable[object]", given)]
    raise NoTool(
        f"it is {type(cast(object, given)).__name__}",
        "It must be a function, a list of functions, or a module.",
    )


def describe(named: Iterable[tuple[str, object]]) -> tuple[list[OwnFunction], list[Fault]]:
    found: dict[str, OwnFunction] = {}
    faults: list[Fault] = []
    for name, each in named:
        try:
            function = _own_function(each)
            if function.name in found:
                raise NoTool("there are two functions of that name", "Rename one of them.")
            found[function.name] = function
        except NoTool as error:
            faults.append(Fault(name, error.cause, error.advice))
    return list(found.values()), faults


def _of_module(module: ModuleType) -> list[tuple[str, object]]:
    members = vars(module)
    exported = members.get("__all__")
    if exported is not None:
        return [(str(name), members.get(name)) for name in exported]
    return [
        (name, each)
        for name, each in members.items()
        if inspect.isfunction(each)
        and each.__module__ == module.__name__
        and (not name.startswith("_") or is_marked(each))
    ]


def _own_function(each: object) -> OwnFunction:
    """Raises NoTool."""
    if each is None:
        raise NoTool("__all__ names it, and it is not there")
    if not callable(each) or inspect.isclass(each) or not hasattr(each, "__name__"):
        raise NoTool(f"it is {type(each).__name__}, not a function")
    if inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each):
        raise NoTool("it is a generator", "Return the whole result, as a list.")
    marks = marks_of(each)
    name = marks.name or each.__name__
    if not _NAME.fullmatch(name):
        raise NoTool(
            f"a model can't call {name!r}", "Up to 64 of a-z, A-Z, 0-9, _ and - make a name."
        )
    if "__" in name:
        raise NoTool("names with __ are those of MCP servers' tools", "Rename it.")
    return OwnFunction(each, _schema(each), marks)


def _schema(function: Callable[..., Any]) -> ArgumentSchema:
    _check_parameters(function)
    about = _docstring(function)
    known = {one.arg_name: one.description or "" for one in about.params}
    try:
        return ArgumentSchema(function, description=_description(about), about=known)
    except NameError as error:
        raise NoTool(
            f"a type hint can't be read: {error}",
            "Import it where the program runs, not only under TYPE_CHECKING.",
        ) from error
    except (
        PydanticSchemaGenerationError,
        PydanticInvalidForJsonSchema,
        PydanticUserError,
        TypeError,
    ) as error:
        first = str(error).split("\n", 1)[0].rstrip(".")
        raise NoTool(
            f"its hints make no JSON Schema: {first}",
            "Take types that JSON has: str, int, list, dict, Literal, dataclasses, pydantic models.",
        ) from error


def _check_parameters(function: Callable[..., Any]) -> None:
    bare: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            raise NoTool(
                f"it takes {stars}{parameter.name}, which no schema can describe",
                f"Name its parameters, or take one list or dict. {_HIDE}",
            )
        if parameter.annotation is parameter.empty:
            bare.append(parameter.name)
        elif parameter.name.startswith("_"):
            raise NoTool(f"a parameter may not begin with _: {parameter.name}", "Rename it.")
    if bare:
        raise NoTool(
            f"no type hint on {', '.join(bare)}",
            f"Write {bare[0]}: str, or whatever it takes. {_HIDE}",
        )


def _docstring(function: Callable[..., Any]) -> Docstring:
    text = inspect.getdoc(function) or ""
    try:
        return parse(text)
    except ParseError:
        # It tried every style; then the whole of it is the description.
        plain = Docstring()
        plain.short_description = text
        return plain


def _description(about: Docstring) -> str:
    parts = [about.short_description, about.long_description]
    if about.returns is not None and about.returns.description:
        parts.append(f"Returns: {about.returns.description}")
    text = "\n\n".join(part for part in parts if part)
    if len(text) <= _LONGEST_DESCRIPTION:
        return text
    return text[: _LONGEST_DESCRIPTION - 1] + "…"


def _name(each: object) -> str:
    return str(getattr(each, "__name__", type(each).__name__))
