"""Prompts with images: what is sent, who takes it, and what is done where a model doesn't."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from chat.harness import Bench, Turn, collect
from chatglass.chat.attached_files import AttachedImage
from chatglass.chat.engine import Engine
from chatglass.chat.sent_body import rebuild_body
from chatglass.models import discovery
from chatglass.models.demo.script import Reply
from chatglass.models.endpoints import ConfiguredEndpoint
from chatglass.models.model_manager import Models
from chatglass.models.wire import Endpoint, ModelRef
from chatglass.values.images import image_of
from images.pictures import picture
from models.loopback import error_reply, json_reply, loopback

DATA = picture("png", 64, 48)
REFUSALS = [
    (400, "Invalid content type. image_url is only supported by certain models."),
    (404, "No endpoints found that support image input"),
    (500, "image input is not supported - hint: you may need to provide the mmproj"),
    (400, "test is not a multimodal model"),
    (422, "messages[0]: unknown variant `image_url`, expected `text`"),
    (400, "Model does not support images. Please use a model that does."),
]


def shot() -> AttachedImage:
    image = image_of(DATA)
    assert image is not None
    return AttachedImage("shot.png", image)


async def send(engine: Engine, text: str = "What is this?") -> Turn:
    await engine.submit(text, [shot().content()])
    return Turn(await collect(engine.run()))


def sent(here: Bench, place: int = -1) -> list[dict[str, Any]]:
    body = json.loads(list(here.demo.requests)[place].body)
    return [message for message in body["messages"] if message["role"] == "user"]


async def test_the_server_gets_the_very_bytes(here: Bench) -> None:
    engine = await here.engine()
    here.demo.script(Reply(text="A shot."))
    assert (await send(engine)).status == "complete"
    text, image = sent(here)[0]["content"]
    assert text == {"type": "text", "text": "What is this?"}
    assert list(image) == ["type", "image_url"]
    head, _, data = image["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == DATA


async def test_it_is_kept_once_and_the_body_rebuilt_from_that(here: Bench) -> None:
    engine = await here.engine()
    here.demo.script(Reply(text="One."), Reply(text="Two."))
    await send(engine)
    await engine.submit("And?")
    await collect(engine.run())
    coded = base64.b64encode(DATA).decode()
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'search_pairs%'"
    tables = [name for (name,) in here.read(sql)]  # that index has no rows to read
    holding = [
        (table, repr(row).count(coded))
        for table in tables
        for row in here.read(f'SELECT * FROM "{table}"')
        if coded in repr(row)
    ]
    assert holding == [("messages", 1)]
    bodies = [json.loads(request.body) for request in here.demo.requests]
    rows = await here.requests(engine)
    assert [await rebuild_body(here.store, row) for row in rows] == bodies


async def test_it_resumes_and_is_answered_again_by_another_model(here: Bench) -> None:
    engine = await here.engine()
    here.demo.script(Reply(text="One."), Reply(text="Two."))
    await send(engine)
    again = await here.reopened(engine)
    await again.context.set_model(ModelRef("here", "other"))
    assert await again.branch_before_answer()
    turn = Turn(await collect(again.go_on()))
    assert turn.text == "Two."
    assert sent(here, 0) == sent(here, 1)


async def test_its_tokens_are_estimated_by_its_pixels(here: Bench) -> None:
    engine = await here.engine()
    await engine.context.ensure_stored()
    plain = engine.context.next_request_tokens("look")
    assert engine.context.next_request_tokens("look", [shot().content()]) == plain + 255


def told(here: Bench, images: bool | tuple[str, ...] | None) -> None:
    endpoint = here.models.endpoints["here"]
    here.models._configured["here"] = ConfiguredEndpoint(endpoint=endpoint, images=images)


@pytest.mark.parametrize("images", [False, ("another",)])
async def test_a_model_known_for_text_alone_is_not_asked(
    here: Bench, images: bool | tuple[str, ...]
) -> None:
    told(here, images)
    engine = await here.engine()
    turn = await send(engine)
    assert turn.status == "limit"
    assert "demo-fast on here takes no images" in turn.notices["images"]
    assert not here.demo.requests
    assert not engine.conversation.prompt_stored
    assert engine.queue[0].content_json is not None


async def test_images_of_before_become_words_for_it(here: Bench) -> None:
    engine = await here.engine()
    here.demo.script(Reply(text="One."), Reply(text="Two."), Reply(text="Three."))
    await send(engine)
    told(here, False)
    for text, is_told in (("And now?", True), ("And then?", False)):
        await engine.submit(text)
        turn = Turn(await collect(engine.run()))
        assert turn.status == "complete"
        assert ("adapted" in turn.notices) is is_told
    first = sent(here)[0]["content"]
    assert [part["type"] for part in first] == ["text", "text"]
    assert "takes no images" in first[1]["text"]


@pytest.mark.parametrize(("status", "words"), REFUSALS)
async def test_a_refusal_is_told_and_the_answer_asked_for_again_goes_without(
    here: Bench, status: int, words: str
) -> None:
    engine = await here.engine()
    here.demo.script(
        Reply(status=status, body=json.dumps({"error": {"message": words}})), Reply(text="Well.")
    )
    turn = await send(engine)
    assert turn.status == "error"
    assert "takes no images" in turn.notices["images"]
    assert len(here.demo.requests) == 1
    again = Turn(await collect(engine.go_on()))
    assert again.text == "Well."
    assert [part["type"] for part in sent(here)[0]["content"]] == ["text", "text"]
    refused = await send(engine, "Another")
    assert refused.status == "limit"
    assert len(here.demo.requests) == 2


LISTS: list[tuple[dict[str, Any], bool | None]] = [
    ({"architecture": {"input_modalities": ["text", "image"]}}, True),
    ({"architecture": {"input_modalities": ["text"]}}, False),
    ({"capabilities": {"vision": False}}, False),
    ({"type": "vlm"}, True),
    ({"object": "model"}, None),
]


@pytest.mark.parametrize(("entry", "expected"), LISTS)
def test_what_model_lists_say(entry: dict[str, Any], expected: bool | None) -> None:
    assert discovery.images_of_entry(entry) is expected


@pytest.mark.parametrize(
    ("path", "answer", "expected"),
    [
        ("/props", {"modalities": {"vision": True}}, True),
        ("/api/show", {"capabilities": ["completion", "tools"]}, False),
        ("/api/show", {"capabilities": ["completion", "vision"]}, True),
        ("/api/v0/models", {"data": [{"id": "m", "type": "llm"}]}, False),
        ("/v1/models", {"data": [{"id": "m"}]}, None),
    ],
)
async def test_what_servers_of_this_machine_say(
    path: str, answer: dict[str, Any], expected: bool | None
) -> None:
    async with loopback(error_reply(404, "no")) as server:
        server.paths[path] = json_reply(answer)
        endpoint = Endpoint(name="local", base_url=server.base_url, kind="other", is_local=True)
        models = Models({"local": ConfiguredEndpoint(endpoint=endpoint)})
        ref = ModelRef("local", "m")
        assert await models.takes_images(ref) is expected
        asked = len(server.received)
        await models.takes_images(ref)
        assert len(server.received) == asked
        await models.close()


def test_exports_hold_it(tmp_path: Path) -> None:
    from chatglass.chat.attachments import prompt_content
    from chatglass.store.records import MessageRow, SessionRow, WholeSession
    from chatglass.transfer import html, markdown, openai_chat

    row = MessageRow(
        id="m",
        session_id="s",
        parent_id=None,
        turn_id="t",
        role="user",
        content=prompt_content("look", [shot().content()]),
        created_at=0,
        content_is_json=True,
    )
    session = SessionRow(
        id="s",
        title="t",
        root="/",
        endpoint="e",
        model="m",
        created_at=0,
        updated_at=0,
        leaf_id="m",
    )
    whole = WholeSession(session=session, messages=(row,))
    assert f'<img src="{shot().image.data_url}" alt="shot.png (PNG, 64×48, ' in "".join(
        html.session(whole)
    )
    text = "".join(markdown.text(whole))
    assert "*Attached: shot.png (PNG, 64×48, " in text
    assert "base64" not in text
    line = json.loads("".join(openai_chat.lines(whole)))
    assert list(line["messages"][0]["content"][1]) == ["type", "image_url"]
