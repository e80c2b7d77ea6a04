"""Folds against a plain model of them, and the tree by its keys."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from chatglass.tui.inspector.display_rows import DisplayRows
from chatglass.tui.inspector.folding import FoldedRows
from chatglass.tui.inspector.json_layout import LaidOut, lay_out_tree
from chatglass.tui.inspector.json_tree import JsonTree
from inspector.test_json_layout import documents


def rows_of(value: object, width: int) -> tuple[LaidOut, FoldedRows]:
    laid_out = lay_out_tree(json.dumps(value, ensure_ascii=False))
    assert laid_out is not None
    base = DisplayRows(laid_out.text, width, wrap=True, by_word=False)
    base.grow()
    return laid_out, FoldedRows(base, laid_out.containers)


def by_hand(folds: FoldedRows, flags: set[int]) -> list[int]:
    """The rows of the base that are left, looking at each."""
    base, found = folds.base, folds.containers
    hidden: set[int] = set()
    for index in flags:
        first = base.row_at(found.opens[index]) + 1
        hidden.update(range(first, base.row_at(found.closes[index]) + 1))
    return [row for row in range(len(base)) if row not in hidden]


def check(folds: FoldedRows, flags: set[int]) -> None:
    left = by_hand(folds, flags)
    assert len(folds) == len(left)
    assert [folds.base_row(y) for y in range(len(folds))] == left
    for y, row in enumerate(left):
        start, end = folds.span(y)
        assert (start, end) == folds.base.span(row)
        assert folds.row_at(start) == y
    for row in range(len(folds.base)):
        at = folds.row_at(folds.base.span(row)[0])
        assert left[at] <= row, "what is folded away is at the line of its fold"


@given(documents, st.integers(4, 40), st.data())
def test_any_folding_leaves_what_a_plain_model_leaves(
    value: object, width: int, data: st.DataObject
) -> None:
    _, folds = rows_of(value, width)
    flags: set[int] = set()
    count = len(folds.containers)
    for _ in range(data.draw(st.integers(0, 8)) if count else 0):
        index = data.draw(st.integers(0, count - 1))
        match data.draw(st.sampled_from(["fold", "unfold", "reveal", "all", "again", "many"])):
            case "fold":
                folds.fold(index)
                flags.add(index)
            case "unfold":
                folds.unfold(index)
                flags.discard(index)
            case "many":
                folds = asyncio.run(folds.unfolded(index))
                flags.discard(index)
            case "reveal":
                offset = folds.containers.closes[index]
                folds.reveal(offset)
                assert folds.span(folds.row_at(offset))[1] > offset
                flags = {each for each in flags if folds.is_folded(each)}
            case "all":
                depth = data.draw(st.integers(0, 3))
                folds = asyncio.run(folds.fold_to(depth))
                flags = {i for i, each in enumerate(folds.containers.depths) if each >= depth}
            case _:
                base = DisplayRows(folds.base.text, width + 3, wrap=True, by_word=False)
                base.grow()
                folds = asyncio.run(folds.over(base))
        check(folds, flags)


class TreeApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.tree_view = JsonTree()
        self.copied: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.tree_view

    def on_json_tree_copy_requested(self, event: JsonTree.CopyRequested) -> None:
        self.copied.append(event.text)

    @property
    def lines(self) -> list[str]:
        strips = self.screen._compositor.render_strips()
        return [strip.text.rstrip(" │┃") for strip in strips if strip.text.strip(" │┃")]


async def settle(pilot: Pilot[None], app: App[Any]) -> None:
    async with asyncio.timeout(20):
        await pilot.pause()
        while any(not worker.is_finished for worker in app.workers):
            await pilot.pause(0.005)
        await pilot.pause()


VALUE = {
    "name": 'a "b"',
    "items": [{"id": 1, "tags": ["x", "y"]}, {"id": 2, "tags": []}, 3],
    "odd key": {"deep": {"deeper": [None, True]}},
    "last": 1.50,
}


async def test_folding_by_keys() -> None:
    app = TreeApp()
    async with app.run_test(size=(60, 40)) as pilot:
        app.tree_view.load(json.dumps(VALUE))
        app.tree_view.focus()
        await settle(pilot, app)
        whole = app.lines
        await pilot.press("0")
        await settle(pilot, app)
        assert app.lines == [
            "{",
            '  "name": "a \\"b\\"",',
            '  "items": [ … ],  3 items',
            '  "odd key": { … },  1 key',
            '  "last": 1.5',
            "}",
        ]
        await pilot.press("down", "down", "right")
        await settle(pilot, app)
        assert app.lines[2:6] == [
            '  "items": [',
            "    { … },  2 keys",
            "    { … },  2 keys",
            "    3",
        ]
        await pilot.press("right", "space", "right", "down", "P", "Y")
        await settle(pilot, app)
        assert app.copied == ["$.items[0].tags", '[\n  "x",\n  "y"\n]']
        await pilot.press("right", "right", "down", "P", "Y")
        await settle(pilot, app)
        assert app.copied[2:] == ["$.items[0].tags[1]", "y"]
        await pilot.press("left", "left", "left", "left")
        await settle(pilot, app)
        assert app.lines[3] == "    { … },  2 keys", "out of the array, fold it, out, fold"
        await pilot.press("asterisk")
        await settle(pilot, app)
        assert app.lines == whole
        await pilot.press("minus")
        await settle(pilot, app)
        assert '      "deeper": [ … ]  2 items' in app.lines
        await pilot.press("plus")
        await settle(pilot, app)
        assert app.lines == whole


async def test_the_path_of_every_line_leads_to_its_value() -> None:
    app = TreeApp()
    async with app.run_test(size=(60, 60)) as pilot:
        value = {**VALUE, "mixed": [[], {}, [1], 2, [[3]], "x", {"k": [4, 5, {"z": None}]}]}
        app.tree_view.load(json.dumps(value))
        app.tree_view.focus()
        await settle(pilot, app)
        seen = set()
        for y in range(len(app.tree_view.rows)):
            app.tree_view.move_cursor(y)
            path = app.tree_view.path
            place: Any = value
            for step in path.replace("$", "").replace("]", "").replace(".", "[").split("[")[1:]:
                place = place[int(step)] if step.isdigit() else place[step.strip('"')]
            told = app.tree_view.value
            assert told == place if isinstance(place, str) else json.loads(told) == place
            seen.add(path)
        assert {'$["odd key"].deep.deeper[1]', "$.mixed[4][0][0]", "$.mixed[6].k[2].z"} <= seen


async def test_finding_opens_what_is_folded() -> None:
    app = TreeApp()
    async with app.run_test(size=(60, 40)) as pilot:
        app.tree_view.load(json.dumps(VALUE))
        app.tree_view.focus()
        await pilot.press("0")
        await settle(pilot, app)
        app.tree_view.find("deeper")
        await settle(pilot, app)
        assert any('"deeper": [' in line for line in app.lines)
        assert '  "items": [ … ],  3 items' in app.lines, "and nothing else"
        assert app.tree_view.path == '$["odd key"].deep.deeper'


async def test_folds_and_cursor_stay_when_the_width_changes() -> None:
    app = TreeApp()
    async with app.run_test(size=(60, 40)) as pilot:
        app.tree_view.load(json.dumps(VALUE | {"long": "word " * 40}))
        app.tree_view.focus()
        await pilot.press("0", "down", "down", "down")
        await settle(pilot, app)
        await pilot.resize_terminal(30, 40)
        await settle(pilot, app)
        assert '  "items": [ … ],  3 items' in app.lines
        assert app.tree_view.path == '$["odd key"]'
        await pilot.press("w")
        await settle(pilot, app)
        assert '  "items": [ … ],  3 items' in app.lines
        assert app.tree_view.path == '$["odd key"]'


async def test_the_mouse_folds_at_a_bracket() -> None:
    app = TreeApp()
    async with app.run_test(size=(60, 40)) as pilot:
        app.tree_view.load(json.dumps(VALUE))
        await settle(pilot, app)
        await pilot.click(app.tree_view, offset=(11, 2))
        await settle(pilot, app)
        assert app.lines[2] == '  "items": [ … ],  3 items'
        await pilot.click(app.tree_view, offset=(20, 2))
        await settle(pilot, app)
        assert app.lines[2] == '  "items": ['
        await pilot.click(app.tree_view, offset=(4, 1))
        await settle(pilot, app)
        assert app.tree_view.path == "$.name"


@pytest.mark.parametrize("text", ["plain\ntext", "", "[]", "{}", "[1", "7"])
async def test_what_cannot_fold_is_a_text_without_a_cursor_or_a_single_line(text: str) -> None:
    app = TreeApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.tree_view.load(text)
        app.tree_view.focus()
        await pilot.press(
            "0", "left", "right", "space", "minus", "plus", "asterisk", "down", "P", "Y"
        )
        await settle(pilot, app)
        assert "\n".join(app.lines) == text
        assert app.copied in ([], ["$", text])


async def test_large_folds_cost_no_object_for_a_line() -> None:
    """A megabyte in 20,000 containers, folded and unfolded, painting the screen alone."""
    app = TreeApp()
    async with app.run_test(size=(60, 20)) as pilot:
        value = [{"n": i, "tags": ["a", "b"]} for i in range(10_000)]
        app.tree_view.load(json.dumps(value))
        app.tree_view.focus()
        await settle(pilot, app)
        assert len(app.tree_view.rows) == 70_002
        before = app.tree_view.lines_painted
        await pilot.press("0")
        await settle(pilot, app)
        assert len(app.tree_view.rows) == 10_002
        await pilot.press("left", "left")
        await settle(pilot, app)
        assert app.lines == ["[ … ]  10,000 items"]
        await pilot.press("right")
        await settle(pilot, app)
        assert len(app.tree_view.rows) == 10_002
        app.tree_view.find('"n": 9999')
        await settle(pilot, app)
        assert app.tree_view.path == "$[9999].n"
        assert app.tree_view.lines_painted - before < 40 * 20
