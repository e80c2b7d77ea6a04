"""Heights of items as a Fenwick tree: from a line to its item and back in O(log n)."""

from __future__ import annotations

from collections.abc import Iterable


class Heights:
    """A list of non-negative integers with prefix sums.

    Item `i` covers the lines `offset(i)` to `offset(i) + self[i] - 1`.
    """

    __slots__ = ("_heights", "_tree")

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights: list[int] = list(heights)
        self._tree: list[int] = []
        self._rebuild()

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    @property
    def total(self) -> int:
        return self.offset(len(self._heights))

    def replace_all(self, heights: Iterable[int]) -> None:
        self._heights = list(heights)
        self._rebuild()

    def set(self, index: int, height: int) -> None:
        delta = height - self._heights[index]
        if not delta:
            return
        self._heights[index] = height
        tree = self._tree
        node = index + 1
        while node < len(tree):
            tree[node] += delta
            node += node & -node

    def insert(self, index: int, height: int) -> None:
        """O((n - index) log n), so O(log n) at the end."""
        self._heights.insert(index, height)
        self._tree.append(0)
        self._rebuild_from(index)

    def remove(self, index: int) -> None:
        """O((n - index) log n)."""
        del self._heights[index]
        self._tree.pop()
        self._rebuild_from(index)

    def offset(self, index: int) -> int:
        """The sum of the heights before `index`: the first line of item `index`."""
        total = 0
        tree = self._tree
        node = index
        while node > 0:
            total += tree[node]
            node &= node - 1
        return total

    def find(self, line: int) -> tuple[int, int]:
        """(item, line within it) of a line; lines outside are clamped to the first or last item.

        Raises IndexError where there are no items.
        """
        count = len(self._heights)
        if not count:
            raise IndexError("there are no items")
        if line < 0:
            return 0, 0
        tree = self._tree
        node = 0
        rest = line
        step = 1 << (count.bit_length() - 1)
        while step:
            following = node + step
            if following <= count and tree[following] <= rest:
                node = following
                rest -= tree[following]
            step >>= 1
        if node >= count:
            last = count - 1
            return last, max(0, self._heights[last] - 1)
        return node, rest

    def _rebuild(self) -> None:
        heights = self._heights
        tree = [0, *heights]
        size = len(tree)
        for node in range(1, size):
            parent = node + (node & -node)
            if parent < size:
                tree[parent] += tree[node]
        self._tree = tree

    def _rebuild_from(self, index: int) -> None:
        tree = self._tree
        heights = self._heights
        for node in range(index + 1, len(tree)):
            total = heights[node - 1]
            child = node - 1
            low = node & (node - 1)
            while child > low:
                total += tree[child]
                child &= child - 1
            tree[node] = total
