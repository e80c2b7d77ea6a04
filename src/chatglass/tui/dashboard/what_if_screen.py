"""WhatIfScreen: what the session would have cost on other models, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from chatglass.store.records import RequestRow
from chatglass.tui.dashboard.bars import share_bar
from chatglass.tui.dialogs.dialogs import DIALOG_CSS
from chatglass.tui.lines.cells import fit
from chatglass.values import figures
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from chatglass.models.wire import ModelManager, ModelRef
    from chatglass.spending.what_if import WhatIf

_BAR = 24
_NAME = 38


class WhatIfScreen(ModalScreen[None]):
    BINDINGS = [
        Binding("escape", "close", "Close", show=False),
        Binding("ctrl+c", "close", "Close", show=False),
    ]
    DEFAULT_CSS = (
        DIALOG_CSS.format(name="WhatIfScreen", width=92, height="auto")
        + "WhatIfScreen VerticalScroll { height: auto; max-height: 60vh; }"
        + "WhatIfScreen .rows { height: auto; }"
        + "WhatIfScreen .hint { margin-top: 1; }"
    )

    def __init__(
        self,
        rows: Sequence[RequestRow],
        model: ModelRef,
        models: ModelManager,
        names: Sequence[str] = (),
    ) -> None:
        """`rows` are the session's requests, `model` is the one it uses now; `names` those to
        compare with."""
        super().__init__()
        self._rows = [row for row in rows if row.usage is not None]
        self._model = model
        self._models = models
        self._names = list(names)
        self._shown = Static("Comparing …", classes="rows", markup=False)
        self._hint = Static("", classes="hint", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical() as panel:
            panel.border_title = Content("What if: this session on other models")  # pyright: ignore[reportAttributeAccessIssue]
            with VerticalScroll():
                yield self._shown
            yield self._hint

    def on_mount(self) -> None:
        self.run_worker(self._compare, group="what-if", exit_on_error=False)

    async def _compare(self) -> None:
        found, missing = await asyncio.to_thread(self._find)
        self._shown.update("\n".join(self._lines(found)))
        said = [
            "≈ The same tokens at other prices, cached ones at the cached price. Another model",
            "counts and answers differently. /whatif MODEL … compares with others. Esc closes.",
        ]
        if missing:
            said.insert(0, f"No price is known for {', '.join(one_line(n, 60) for n in missing)}.")
        self._hint.update("\n".join(said))

    def _find(self) -> tuple[list[WhatIf], list[str]]:
        from chatglass.spending.what_if import find_candidates, what_if

        candidates, missing = find_candidates(self._names, self._models, self._model.endpoint)
        return what_if(self._rows, candidates), missing

    def _lines(self, found: Sequence[WhatIf]) -> list[str]:
        from chatglass.spending.what_if import real_cost

        paid = real_cost(self._rows)
        models = {row.model for row in self._rows}
        name = f"as it was: {one_line(', '.join(sorted(models)), 60)}"
        most = max([paid or 0, *(one.cost or 0 for one in found)], default=0)
        lines = [_line(name, figures.cost(paid), "", paid, most)]
        for one in found:
            ratio = "" if one.ratio is None else f"{one.ratio:.2f}×"
            cost = figures.money(one.cost, about=True)
            lines.append(_line(one_line(one.name, 60), cost, ratio, one.cost, most))
        return lines

    def action_close(self) -> None:
        self.dismiss(None)


def _line(name: str, cost: str, ratio: str, value: object, most: object) -> str:
    fraction = float(value) / float(most) if value and most else 0.0  # type: ignore[arg-type]
    return f"{fit(name, _NAME)} {cost:>12} {ratio:>8}  {share_bar(fraction, _BAR)}".rstrip()
