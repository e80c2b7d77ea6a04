"""The viewport against a naive model that knows all heights from the start."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatglass.tui.transcript.viewport import Viewport

_moves = st.lists(
    st.one_of(
        st.tuples(st.just("scroll"), st.integers(-30, 30)),
        st.tuples(st.just("refine"), st.integers(0, 100)),
        st.tuples(st.just("grow_last"), st.integers(1, 5)),
        st.tuples(st.just("follow"), st.just(0)),
    ),
    max_size=30,
)


class _Model:
    """All lines as (item, line), and the number of the one on top."""

    def __init__(self, sizes: list[int], height: int) -> None:
        self.sizes, self.height = sizes, height
        self.following = True
        self.top = self.lowest

    @property
    def lines(self) -> list[tuple[int, int]]:
        return [(item, line) for item, size in enumerate(self.sizes) for line in range(size)]

    @property
    def lowest(self) -> int:
        return max(0, len(self.lines) - self.height)

    def scroll(self, delta: int) -> None:
        before = self.top
        self.top = max(0, min(self.lowest, self.top + delta))
        if self.top != before or delta > 0:
            self.following = self.top == self.lowest

    def on_screen(self) -> list[tuple[int, int]]:
        return self.lines[self.top : self.top + self.height]


@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=30),
    st.lists(st.integers(1, 12), min_size=30, max_size=30),
    st.integers(1, 15),
    _moves,
)
def test_what_is_on_screen_is_as_if_all_heights_were_known(
    sizes: list[int], guesses: list[int], height: int, moves: list[tuple[str, int]]
) -> None:
    viewport = Viewport(lambda index: sizes[index])
    viewport.heights.replace_all(guesses[: len(sizes)])
    viewport.height = height
    viewport.settle()
    model = _Model(sizes, height)
    for what, amount in moves:
        if what == "scroll" and amount:
            viewport.scroll_by(amount)
            model.scroll(amount)
        elif what == "refine":
            viewport.exact(amount % len(sizes))
            viewport.settle()
        elif what == "grow_last":
            sizes[-1] += amount
            viewport.heights.set(len(sizes) - 1, sizes[-1])
            viewport.settle()
            if model.following:
                model.top = model.lowest
        elif what == "follow":
            viewport.follow()
            model.following, model.top = True, model.lowest
        rows = [viewport.at_row(row) for row in range(height)]
        shown = [row for row in rows if row is not None]
        assert shown == model.on_screen()
        assert viewport.following == model.following
        for row, (item, line) in enumerate(shown):
            assert viewport.row_of(item, line) == row


def test_only_what_is_on_screen_is_measured() -> None:
    asked: list[int] = []

    def measure(index: int) -> int:
        asked.append(index)
        return 3

    viewport = Viewport(measure)
    viewport.heights.replace_all([5] * 10_000)
    viewport.height = 20
    viewport.settle()
    assert len(asked) < 30
    asked.clear()
    viewport.show(0)
    viewport.show(5_000)
    viewport.scroll_by(-15_000)
    assert len(asked) < 60


def test_far_scrolling_lands_where_the_estimates_say() -> None:
    viewport = Viewport(lambda index: 3)
    viewport.heights.replace_all([3] * 10_000)
    viewport.height = 20
    viewport.settle()
    viewport.scroll_by(-viewport.top + 9_000)
    assert (viewport.item, viewport.line) == (3_000, 0)
    assert not viewport.following
