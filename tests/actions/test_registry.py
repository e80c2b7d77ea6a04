"""The registry: ids, keys, commands, the keymap, the docs."""

from __future__ import annotations

import itertools

import pytest

from chatglass.config.errors import ConfigError
from chatglass.tui.actions.action import OWN_SCREENS, PLACES, key_label, meet
from chatglass.tui.actions.registry import ACTIONS, Actions

EDITING_KEYS = {"ctrl+a", "ctrl+k", "ctrl+u", "ctrl+v", "ctrl+w", "ctrl+x"}


def test_ids_and_commands_are_unique() -> None:
    ids = [action.id for action in ACTIONS]
    slashes = [action.slash for action in ACTIONS if action.slash]
    assert len(ids) == len(set(ids))
    assert len(slashes) == len(set(slashes))


@pytest.mark.parametrize(
    "wanted",
    [
        "session.new",
        "session.list",
        "session.rename",
        "turn.stop",
        "answer.retry",
        "copy.message",
        "copy.code",
        "find",
        "model.choose",
        "view.inspector",
        "view.sidebar",
        "theme.choose",
        "help.keys",
        "app.quit",
        "session.system_prompt",
        "session.temperature",
        "session.max_output",
        "session.reasoning_effort",
        "session.clear",
        "composer.editor",
        "app.debug",
    ],
)
def test_every_promised_action_exists_and_says_what_it_does(wanted: str) -> None:
    action = ACTIONS[wanted]
    assert action.label
    assert action.tooltip


def test_default_keys_leave_editing_and_multiplexers_alone() -> None:
    used = {key for action in ACTIONS for key in action.keys}
    assert not used & (EDITING_KEYS | {"ctrl+a", "ctrl+b"})


def test_no_two_actions_share_a_key_where_both_work() -> None:
    for one, other in itertools.combinations(ACTIONS, 2):
        if meet(one.place, other.place):
            assert not set(one.keys) & set(other.keys), (one.id, other.id)


def test_letters_act_only_where_nothing_is_written() -> None:
    for action in ACTIONS:
        if any(len(key) == 1 for key in action.keys):
            assert action.place in (
                "transcript",
                "inspector",
                "compare",
                "text",
                "wire",
                "approval",
                *OWN_SCREENS,
            ), action.id


def test_keys_of_the_app_do_not_reach_a_screen_of_its_own() -> None:
    assert meet("app", "composer")
    assert meet("sessions", "sessions")
    assert not meet("app", "sessions")
    assert not meet("composer", "transcript")


def test_keymap_moves_a_key_and_gives_textual_the_rest() -> None:
    registry = Actions()
    keymap = registry.apply_keymap({"session.new": "F9, Ctrl+G", "turn.stop": "esc"})
    assert keymap == {"session.new": "f9,ctrl+g", "turn.stop": "escape"}
    assert registry["session.new"].keys == ("f9", "ctrl+g")
    assert ACTIONS["session.new"].keys == ("ctrl+n",)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"session.nwe": "f9"}, ["session.nwe", "session.new"]),
        ({"session.new": "ctrl+f"}, ["ctrl+f", "session.new", "find"]),
        ({"composer.send": "ctrl+s"}, ["ctrl+s", "composer.send", "session.list"]),
        ({"session.new": "strg+n"}, ["session.new", "strg+n"]),
        ({"session.new": ""}, ["session.new"]),
    ],
)
def test_a_bad_keymap_is_named_and_changes_nothing(
    settings: dict[str, str], named: list[str]
) -> None:
    registry = Actions()
    with pytest.raises(ConfigError) as caught:
        registry.apply_keymap({"view.sidebar": "f9", **settings})
    for word in named:
        assert word in str(caught.value)
    assert registry["view.sidebar"].keys == ("f2",)


def test_two_actions_may_swap_their_keys() -> None:
    registry = Actions()
    registry.apply_keymap({"session.new": "ctrl+s", "session.list": "ctrl+n"})
    assert registry["session.new"].keys == ("ctrl+s",)


def test_slash_commands_by_prefix_then_by_part() -> None:
    names = [action.slash for action in ACTIONS.slashes("mo")]
    assert names[:2] == ["mode", "model"]
    assert "mo" in ACTIONS.slashes("mo")[0].slash
    assert [action.slash for action in ACTIONS.slashes("")] == sorted(
        action.slash for action in ACTIONS if action.slash
    )
    assert ACTIONS.nearest_slashes("sesions")[0] == "sessions"
    assert ACTIONS.by_slash("nothing") is None


def test_docs_list_every_action_once() -> None:
    docs = ACTIONS.to_markdown()
    for action in ACTIONS:
        assert docs.count(f"`{action.id}` |") == 1
    assert all(title in docs for place, title in PLACES.items() if ACTIONS.at(place))


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("ctrl+s", "^S"),
        ("ctrl+underscore", "^_"),
        ("shift+enter", "Shift+Enter"),
        ("f12", "F12"),
        ("escape", "Esc"),
        ("y", "y"),
        ("ctrl+home", "Ctrl+Home"),
    ],
)
def test_keys_are_written_as_people_write_them(key: str, label: str) -> None:
    assert key_label(key) == label


def test_every_way_that_an_advice_offers_has_a_key_or_a_command() -> None:
    from typing import get_args

    from chatglass.tui.actions.ways import name_way
    from chatglass.values.ways import Way, named

    for way in get_args(Way):
        assert name_way(way)
        assert named(f"Do it{{{way}}}.", name_way) == f"Do it ({name_way(way)})."
