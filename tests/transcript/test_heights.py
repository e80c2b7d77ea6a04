from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.tui.transcript.heights import Heights

_sizes = st.integers(0, 50)
_steps = st.lists(
    st.tuples(st.sampled_from(["set", "insert", "remove"]), st.integers(0, 1000), _sizes)
)


@given(st.lists(_sizes), _steps)
def test_heights_agree_with_a_list(start: list[int], steps: list[tuple[str, int, int]]) -> None:
    heights, model = Heights(start), list(start)
    for what, place, size in steps:
        if what == "insert":
            index = place % (len(model) + 1)
            heights.insert(index, size)
            model.insert(index, size)
        elif model:
            index = place % len(model)
            if what == "set":
                heights.set(index, size)
                model[index] = size
            else:
                heights.remove(index)
                del model[index]
        assert [heights[i] for i in range(len(heights))] == model
        assert [heights.offset(i) for i in range(len(model) + 1)] == [
            sum(model[:i]) for i in range(len(model) + 1)
        ]
        assert heights.total == sum(model)


@given(st.lists(_sizes, min_size=1), st.integers(-5, 3000))
def test_find_is_the_inverse_of_offset(sizes: list[int], line: int) -> None:
    heights = Heights(sizes)
    lines = [(item, within) for item, size in enumerate(sizes) for within in range(size)]
    if line < 0:
        assert heights.find(line) == (0, 0)
    elif line < len(lines):
        assert heights.find(line) == lines[line]
    else:
        last = len(sizes) - 1
        assert heights.find(line) == (last, max(0, sizes[last] - 1))


def test_nothing_is_found_in_nothing() -> None:
    with pytest.raises(IndexError, match="no items"):
        Heights().find(0)
