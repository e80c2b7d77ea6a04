from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from start.terminal import Terminal


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def make(code: str, *arguments: str, size: tuple[int, int] = (80, 24)) -> Terminal:
        opened.append(Terminal(code, *arguments, size=size))
        return opened[-1]

    yield make
    for one in opened:
        one.close()
