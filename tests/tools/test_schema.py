"""Schemas and validation of typed functions."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from chatglass.tools.schema import ArgumentSchema
from chatglass.tools.tool import InvalidArguments


class Point(BaseModel):
    x: int
    title: str = ""


ORIGIN = Point(x=0, title="t")


def draw(
    context: object,
    shape: Annotated[Literal["line", "box"], "What to draw."],
    at: list[Point],
    end_column: Annotated[int, Field(ge=1, description="Where.")] = 3,
    label: str | None = None,
    origin: Point = ORIGIN,
) -> None:
    """Draw a shape.

    More about it.
    """


schema = ArgumentSchema(draw, skip=1)


def test_schema_is_compact_and_inlined():
    text = json.dumps(schema.parameters)
    assert "$ref" not in text
    assert "$defs" not in text
    properties = schema.parameters["properties"]
    assert "title" not in schema.parameters
    assert properties["shape"] == {
        "description": "What to draw.",
        "enum": ["line", "box"],
        "type": "string",
    }
    # A field that is called `title` is not a title.
    assert properties["at"]["items"]["properties"]["title"] == {"default": "", "type": "string"}
    assert properties["end_column"]["minimum"] == 1
    assert properties["end_column"]["description"] == "Where."
    # Nor is one in a default value.
    assert properties["origin"]["default"] == {"x": 0, "title": "t"}
    assert schema.parameters["required"] == ["shape", "at"]
    assert schema.parameters["additionalProperties"] is False
    assert schema.description == "Draw a shape.\n\nMore about it."


def test_validated_arguments_are_json_with_defaults():
    arguments = schema.validate({"shape": "box", "at": [{"x": "2"}]})
    assert arguments == {
        "shape": "box",
        "at": [{"x": 2, "title": ""}],
        "end_column": 3,
        "label": None,
        "origin": {"x": 0, "title": "t"},
    }
    assert schema.validate(arguments) == arguments
    assert schema.bind(arguments)["at"] == [Point(x=2)]


def test_null_for_an_optional_argument_is_absent():
    assert schema.validate({"shape": "box", "at": [], "end_column": None})["end_column"] == 3
    assert schema.validate({"shape": "box", "at": [], "label": None})["label"] is None


def test_errors_name_each_wrong_argument():
    with pytest.raises(InvalidArguments) as caught:
        schema.validate({"shape": "circle", "at": [{"x": "a"}], "end_colum": 4, "end_column": 0})
    text = str(caught.value)
    assert "do not fit draw" in text
    assert "- shape: " in text
    assert "'line' or 'box'" in text
    assert "'circle'" in text
    assert "- at.0.x: " in text
    assert "- end_colum: there is no such argument. Did you mean end_column?" in text
    assert "- end_column: " in text
    with pytest.raises(InvalidArguments, match="- shape: missing; expected one of 'line', 'box'"):
        schema.validate({"at": []})


def test_a_recursive_model_ends():
    def walk(tree: Tree) -> None: ...

    walk.__annotations__["tree"] = Tree
    parameters = ArgumentSchema(walk).parameters
    assert parameters["properties"]["tree"]["properties"]["children"]["items"] == {}


class Tree(BaseModel):
    children: list[Tree] = []
