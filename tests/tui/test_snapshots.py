"""The main screens as text, at three sizes, dark and light.

`pytest tests/tui --update-snapshots` writes them anew; what stands in `snapshots/` is to be read
like code.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chatglass.models.demo import Reply
from chatglass.models.demo import script as scripts
from chatglass.tui.inspector.screen import InspectorScreen
from chatglass.tui.transcript.items import AnswerItem, PromptItem
from tui.conftest import Play
from tui.stage import Stage, tools

FOLDER = Path(__file__).parent / "snapshots"
SIZES = ((80, 24), (120, 40), (200, 60))
ROOT = Path("/tmp/chatglass-snapshots")
NOON = 1_750_000_000_000

ANSWER = """\
The test compares bytes that were **read in text mode**:

```python
def test_parse() -> None:
    assert parse(b"a\\r\\n") == ["a"]
```

| system  | line end |
|---------|----------|
| Linux   | `\\n`     |
| Windows | `\\r\\n`   |

1. Open the file with `"rb"`.
2. Compare again."""


async def conversation(stage: Stage) -> None:
    await stage.ask(
        "Why does test_parse fail on Windows?",
        replace(
            tools(("calculate", '{"expression": "6*7"}'), ("read_file", '{"path": "parse.py"}')),
            reasoning="It may be the line ends.",
        ),
        ANSWER,
    )


async def asking(stage: Stage) -> None:
    stage.server.script(
        tools(
            ("write_file", '{"path": "notes.md", "content": "one\\ntwo\\n"}'),
            ("calculate", '{"expression": "1"}'),
        )
    )
    await stage.send("Keep notes")
    await stage.until(lambda: stage.chat.approval.display)
    await stage.until(lambda: stage.answers[0].cards[1].state != "proposed")


async def failed(stage: Stage) -> None:
    await stage.ask("Hello?", scripts.unauthorized())


async def queued(stage: Stage) -> None:
    stage.server.script(Reply(text="one two three", gates={2: "never"}))
    await stage.send("First")
    await stage.sees("one")
    # The answer so far is stored within a second, and counts in the context from then on.
    await stage.until(lambda: "one" in stage.session.engine.context.path.rows[-1].content)
    await stage.send("Second")
    await stage.sees("1 queued")


async def full_inspector(stage: Stage) -> None:
    await conversation(stage)
    await stage.press("ctrl+o")
    await stage.until(lambda: isinstance(stage.app.screen, InspectorScreen))


async def keys(stage: Stage) -> None:
    await stage.press("f1")
    await stage.sees("Type to filter")


async def models(stage: Stage) -> None:
    await stage.press("f3")
    await stage.sees("demo-reasoning")


async def empty(stage: Stage) -> None:
    await stage.sees("Write a message below.")


SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    scene.__name__: scene
    for scene in (empty, conversation, asking, failed, queued, full_inspector, keys, models)
}


async def still(stage: Stage) -> str:
    """What is on screen, with all that differs between two runs put in its place."""
    chat = stage.chat
    for item in chat.transcript.items:
        if isinstance(item, (PromptItem, AnswerItem)):
            item.at = NOON
        if isinstance(item, AnswerItem):
            item.reasoning_ms = 2_000 if item.reasoning else 0
            for card in item.cards:
                card.duration_ms = 20 if card.duration_ms is not None else None
            item.footer = re.sub(r"[\d.]+ m?s$", "1.5 s", item.footer)
        chat.transcript.changed(item.id)
    for call in list(stage.session.view.calls.values()):
        if call.finished_at is not None:
            call = replace(call, started_at=NOON, finished_at=NOON + 20)
        for inspector in (chat.inspector, getattr(stage.app.screen, "inspector", None)):
            if inspector is not None:
                inspector.update_call(replace(call, proposed_at=NOON))
    await stage.until(
        lambda: all(worker.is_finished for worker in stage.app.workers if worker.group == "stats")
    )
    stats = await stage.session.engine.context.get_token_stats()
    speed = {"tokens_per_second": 82.0, "first_token_ms": 20} if stats.requests else {}
    chat.meter.show(replace(stats, **speed))
    await stage.pilot.pause()
    await stage.until(lambda: chat.meter._later is None)
    host = stage.server.base_url.removeprefix("http://").removesuffix("/v1")
    text = stage.screen_text
    port = host.rpartition(":")[2]
    return text.replace(port, "9".rjust(len(port), "9")) + "\n"


@pytest.fixture
def root(folder: Path) -> Path:
    """The working directory: questions name it, so it is the same in every run."""
    ROOT.mkdir(exist_ok=True)
    (ROOT / "parse.py").write_text("def parse(): ...\n", encoding="utf-8")
    return ROOT


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", SCENES)
async def test_screen(
    scene: str,
    size: tuple[int, int],
    play: Play,
    root: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chatglass.tui.transcript.answer_view.time_of", lambda at, now: "14:02")
    monkeypatch.setattr("chatglass.tui.transcript.plain_views.time_of", lambda at, now: "14:02")
    monkeypatch.chdir(root)
    async with play(size=size) as stage:
        stage.chat.composer.area.cursor_blink = False
        await SCENES[scene](stage)
        stage.app.clear_notifications()
        shown = await still(stage)
        # The other theme changes colours and not a letter.
        stage.app.theme = "chatglass-light"
        await stage.pilot.pause()
        assert await still(stage) == shown
    kept = FOLDER / f"{scene}-{size[0]}x{size[1]}.txt"
    if request.config.getoption("--update-snapshots"):
        FOLDER.mkdir(exist_ok=True)
        kept.write_text(shown, encoding="utf-8")
        return
    assert kept.exists(), f"{kept.name} is missing; --update-snapshots writes it"
    assert shown == kept.read_text(encoding="utf-8")


def test_no_snapshot_is_left_over() -> None:
    wanted = {f"{scene}-{width}x{height}.txt" for scene in SCENES for width, height in SIZES}
    assert {path.name for path in FOLDER.iterdir()} == wanted
