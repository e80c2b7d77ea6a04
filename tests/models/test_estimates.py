"""Estimates against counts of o200k that were taken when the weights were fitted."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.models.estimates import (
    IMAGE_TOKENS,
    MESSAGE_TOKENS,
    REPLY_TOKENS,
    Calibration,
    estimate_message,
    estimate_request,
    estimate_text,
    estimate_tools,
)

SAMPLES = [
    (sample["kind"], sample["text"], sample["tokens"])
    for sample in json.loads(Path(__file__).with_name("o200k_samples.json").read_text("utf-8"))
]


@pytest.mark.parametrize(("kind", "text", "tokens"), SAMPLES, ids=[s[0] for s in SAMPLES])
def test_estimates_are_near_the_counts(kind: str, text: str, tokens: int) -> None:
    assert estimate_text(text) == pytest.approx(tokens, rel=0.25), kind


def test_the_sum_over_all_kinds_is_nearer_still() -> None:
    estimated = sum(estimate_text(text) for _, text, _ in SAMPLES)
    assert estimated == pytest.approx(sum(tokens for _, _, tokens in SAMPLES), rel=0.08)


def test_nothing_and_little() -> None:
    assert estimate_text("") == 0
    assert estimate_text(" ") == estimate_text("a") == estimate_text("\x00") == 1


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_longer_text_is_never_estimated_far_smaller(a: str, b: str) -> None:
    # A run that goes on across the seam is counted once, and rounding is half a token a text.
    assert estimate_text(a + b) >= estimate_text(a) - 1
    assert estimate_text(a + b) <= estimate_text(a) + estimate_text(b) + 2


def test_lone_surrogates_do_not_raise() -> None:
    assert estimate_text("a\ud800b\udfff") >= 1


def test_messages_count_what_stands_around_them() -> None:
    text = "Why does it fail?"
    message = {"role": "user", "content": text}
    assert estimate_message(message) == MESSAGE_TOKENS + estimate_text(text)
    assert estimate_request([message, message]) == REPLY_TOKENS + 2 * estimate_message(message)


def test_parts_and_calls_are_counted() -> None:
    picture = "data:image/png;base64," + "A" * 100_000
    parts = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": picture}},
    ]
    counted = estimate_message({"role": "user", "content": parts})
    assert counted == MESSAGE_TOKENS + estimate_text("look") + IMAGE_TOKENS
    call = {"id": "x", "function": {"name": "read_file", "arguments": '{"path": "a.py"}'}}
    with_call = {"role": "assistant", "content": None, "tool_calls": [call]}
    assert estimate_message(with_call) > MESSAGE_TOKENS + estimate_text('{"path": "a.py"}')
    tool = {"type": "function", "function": {"name": "f", "description": "Reads a file."}}
    assert estimate_request([], [tool]) == REPLY_TOKENS + estimate_tools([tool])


def test_calibration_comes_near_and_stays_bounded() -> None:
    calibration = Calibration()
    texts = random.Random(4)
    for _ in range(30):
        raw = texts.randrange(200, 5000)
        calibration.learn(calibration.apply(raw), round(raw * 1.3))
    assert calibration.ratio == pytest.approx(1.3, rel=0.01)
    for _ in range(30):
        calibration.learn(100, 10_000)
    assert calibration.ratio == 2.5
    for _ in range(30):
        calibration.learn(100, 50)
    assert calibration.ratio == 0.5


def test_one_report_after_the_first_moves_it_by_a_third() -> None:
    calibration = Calibration()
    calibration.learn(1000, 1000)
    calibration.learn(1000, 1300)
    assert calibration.ratio == pytest.approx(1.1)


@pytest.mark.parametrize(("estimated", "reported"), [(0, 0), (10, 20), (1000, 0), (9000, 2048)])
def test_what_is_no_measure_teaches_nothing(estimated: int, reported: int) -> None:
    calibration = Calibration()
    calibration.learn(estimated, reported)
    assert calibration.ratio == 1.0
