"""F1 at 80 columns: every key and every description can be read to its end."""

from __future__ import annotations

from textual.app import App
from textual.geometry import Offset

from chatglass.tui.actions.keys_screen import KeysScreen, key_rows
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.dialogs.choice_list import Choice, ChoiceList


def lines_of(choices: ChoiceList) -> list[str]:
    assert choices.scroll_offset == Offset(0, 0)
    return [choices.render_line(y).text for y in range(choices.virtual_size.height)]


async def test_every_description_can_be_read_at_80_columns() -> None:
    app = App[None]()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(KeysScreen(None))
        await pilot.pause()
        shown = " ".join(" ".join(lines_of(app.screen.query_one(ChoiceList))).split())
        assert "…" not in shown.replace("[models…]", "")
        # A description's words stand in its own column, after one another but for the keys.
        for row in key_rows(None, ACTIONS):
            assert all(word in shown for word in f"{row.label} {row.detail}".split()), row


async def test_a_choice_of_several_lines_moves_and_is_clicked_as_one() -> None:
    class Host(App[None]):
        def compose(self):  # type: ignore[no-untyped-def]
            words = "some words that take more than one line of so narrow a list " * 2
            yield ChoiceList([Choice(str(n), f"choice {n}", words) for n in range(9)], wraps=True)

    app = Host()
    async with app.run_test(size=(50, 12)) as pilot:
        choices = app.query_one(ChoiceList)
        await pilot.pause()
        choices.focus()
        tall = choices.virtual_size.height // 9
        assert tall > 1
        assert choices.virtual_size.height == 9 * tall
        await pilot.click(choices, offset=(3, 2 * tall - 1))  # the last line of the second
        assert choices.current is not None
        assert choices.current.value == "1"
        await pilot.press("end")
        assert choices.current.value == "8"
        # The whole of it is in view.
        assert choices.scroll_offset.y + choices.size.height >= 9 * tall
        wide = choices.virtual_size.height
        await pilot.resize_terminal(100, 12)
        await pilot.pause()
        assert choices.virtual_size.height < wide
        assert choices.current.value == "8"
