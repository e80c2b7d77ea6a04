"""What is said of a store that is away."""

from __future__ import annotations

from chatglass.store.status import StatusTeller, watch_store


def test_a_store_that_is_away_is_said_once_and_when_it_is_back() -> None:
    said: list[tuple[str, bool]] = []
    store = StatusTeller()
    watch_store(store, lambda text, is_trouble: said.append((text, is_trouble)))
    store.say(state="spooling", cause="connection refused", waiting=1)
    store.say(waiting=2)
    store.say(state="connected", waiting=0, cause="")
    assert said == [
        ("The store is away (connection refused): 1 write waits on this machine.", True),
        ("The store answers again; all that waited is stored.", False),
    ]


def test_a_store_in_a_file_has_nothing_to_say() -> None:
    watch_store(object(), lambda text, is_trouble: None)
