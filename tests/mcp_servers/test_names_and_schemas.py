"""Names and schemas as endpoints accept them, mapped back; arguments held against schemas."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.tools.mcp.forms import FormField, form_fields, form_problems
from chatglass.tools.mcp.naming import server_slug, tool_names
from chatglass.tools.mcp.schemas import adapt_schema, misfits

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
names = st.text(max_size=90) | st.sampled_from(["a", "a b", "a_b", "a-b", "__", "b__c", "x" * 70])


@given(st.lists(st.tuples(names, st.lists(names, max_size=5)), max_size=5))
def test_names_fit_are_unique_and_lead_back(servers: list[tuple[str, list[str]]]) -> None:
    slugs = {server_slug(name): tools for name, tools in servers}
    seen: set[str] = set()
    for slug, tools in slugs.items():
        adapted = tool_names(slug, tools)
        assert sorted(adapted.values()) == sorted(set(tools))
        assert not seen & adapted.keys(), "two servers never share a name"
        seen |= adapted.keys()
        assert all(_NAME.fullmatch(name) for name in adapted)


def test_names_do_not_depend_on_the_order() -> None:
    tools = ["read.file", "read file", "read_file", "x" * 80]
    assert tool_names("s", tools) == tool_names("s", tools[::-1])
    assert tool_names("s", tools)["s__read_file"] == "read_file"
    assert tool_names("s", ["read.file"]) == {"s__read_file": "read.file"}


def test_the_top_is_one_object() -> None:
    schema: dict[str, Any] = {
        "$schema": "x",
        "oneOf": [
            {"properties": {"id": {"type": "integer"}, "both": {}}, "required": ["id", "both"]},
            {"properties": {"name": {"$ref": "#/$defs/name"}, "both": {}}, "required": ["both"]},
        ],
        "$defs": {"name": {"type": "string", "minLength": 1}},
    }
    assert adapt_schema(schema).parameters == {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "both": {},
            "name": {"type": "string", "minLength": 1},
        },
        "required": ["both"],
    }


@pytest.mark.parametrize("schema", [{}, {"type": "object"}, {"type": ["object", "null"]}])
def test_no_arguments_is_an_empty_object(schema: dict[str, Any]) -> None:
    assert adapt_schema(schema).parameters == {"type": "object", "properties": {}}


def test_references_end() -> None:
    tree: dict[str, Any] = {
        "type": "object",
        "properties": {"root": {"$ref": "#/$defs/node"}, "far": {"$ref": "https://x/y"}},
        "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
    }
    properties = adapt_schema(tree).parameters["properties"]
    assert properties["root"] == {"type": "object", "properties": {"next": {}}}
    assert properties["far"] == {}
    # Each level doubles: without a bound this never ends.
    bomb: dict[str, Any] = {f"d{n}": {"properties": {
        "a": {"$ref": f"#/$defs/d{n + 1}"}, "b": {"$ref": f"#/$defs/d{n + 1}"}}}
        for n in range(60)}  # fmt: skip
    adapt_schema({"properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": bomb})


def test_arguments_with_odd_names_are_mapped_back() -> None:
    schema = {
        "type": "object",
        "properties": {
            "$filter": {"type": "string"},
            "a b": {},
            "a_b": {},
            "list": {"type": "array"},
        },
        "required": ["$filter", "gone"],
    }
    adapted = adapt_schema(schema)
    fitted = adapted.parameters["properties"]
    assert all(re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", name) for name in fitted)
    assert len(fitted) == 4
    assert fitted["list"] == {"type": "array", "items": {}}
    assert adapted.parameters["required"] == ["_filter"]
    assert adapted.restore({"_filter": "x", "list": []}) == {"$filter": "x", "list": []}


_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"},
        "kind": {"enum": ["a", "b"]},
        "inner": {"$ref": "#/$defs/inner"},
        "either": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "many": {"type": "array", "items": {"type": "number"}},
        "evil": {"type": "string", "pattern": "^(a+)+$"},
    },
    "required": ["n"],
    "additionalProperties": False,
    "$defs": {"inner": {"type": "object", "required": ["x"]}},
}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"n": 1, "either": None, "many": [1, 2.5], "evil": "a" * 60 + "!"}, []),
        ({"n": 1.0}, []),
        ({}, ["n: missing."]),
        ({"n": "1"}, ["n: must be integer, not string."]),
        ({"n": True}, ["n: must be integer, not boolean."]),
        ({"n": 1, "kind": "c"}, ["kind: must be one of 'a', 'b'."]),
        ({"n": 1, "inner": {}}, ["inner.x: missing."]),
        ({"n": 1, "either": 5}, ["either: must be string, not integer."]),
        ({"n": 1, "many": [1, "x"]}, ["many.1: must be number, not string."]),
        (
            {"n": 1, "m": 2},
            ["m: there is no such argument. It takes: n, kind, inner, either, many, evil."],
        ),
    ],
)
def test_what_does_not_fit_is_named(arguments: dict[str, Any], said: list[str]) -> None:
    assert misfits(_SCHEMA, arguments) == said


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["type", "properties", "items", "anyOf", "allOf", "required", "$ref", "enum", "a"]),
        inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["type", "properties", "anyOf", "allOf", "required", "$defs", "$ref"]), json_values), json_values)  # fmt: skip
def test_no_schema_of_a_server_breaks_us(schema: dict[str, Any], value: Any) -> None:
    adapted = adapt_schema(schema)
    assert adapted.parameters["type"] == "object"
    assert isinstance(adapted.parameters["properties"], dict)
    misfits(schema, {"a": value})
    form_fields(schema)


def test_forms() -> None:
    fields = form_fields(
        {
            "properties": {
                "age": {"type": "integer", "minimum": 18, "title": "Age"},
                "mail": {"type": "string", "format": "email", "maxLength": 5},
                "one": {"type": "string", "oneOf": [{"const": "a", "title": "A"}, {"const": "b"}]},
                "some": {"type": "array", "items": {"enum": ["x", "y"]}, "maxItems": 1},
                "yes": {"type": "boolean", "default": True},
                "old": {"enum": ["p", "q"], "enumNames": ["P"]},
            },
            "required": ["age"],
        }
    )
    kinds = [field.kind for field in fields]
    assert kinds == ["integer", "text", "choice", "choices", "boolean", "choice"]
    assert [choice.label for choice in fields[2].choices] == ["A", "b"]
    assert [choice.label for choice in fields[5].choices] == ["P", "q"]
    assert form_problems(fields, {"age": 20, "one": "a", "some": ["x"], "yes": False}) == {}
    assert form_problems(
        fields, {"mail": "longer", "some": ["x", "y"], "yes": "no", "one": "c"}
    ) == {
        "age": "Age is needed.",
        "mail": "mail: at most 5 characters.",
        "some": "some: at most 1 choices.",
        "yes": "yes: 'no' is not yes or no.",
        "one": "one: 'c' is not one of the choices.",
    }
    assert FormField(name="n", label="n", kind="number").problem(True)
