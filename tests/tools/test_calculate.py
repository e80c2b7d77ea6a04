"""calculate and current_time."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.tools.builtin.calculate import CannotCalculate, evaluate, shown

if TYPE_CHECKING:
    from tests.tools.conftest import Bench


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("2**10 / 4", "256"), ("0.1 + 0.2", "0.3"), ("-7 // 2", "-4"), ("7 % 4", "3"),
        ("sqrt(2) * sqrt(2)", "2"), ("factorial(20)", "2432902008176640000"),
        ("max(3, 4, 2)", "4"), ("sum([1, 2, 3])", "6"), ("round(7.256, 2)", "7.26"),
        ("2**-1", "0.5"), ("1 < 2 < 3", "True"), ("6 × 7 − 2", "40"), ("1e3", "1000"),
        ("comb(10, 3)", "120"), ("pi", "3.14159265358979"), ("2**1000 % 7", "2"), ("1 << 4", "16"),
    ],
)  # fmt: skip
def test_values(expression: str, result: str):
    assert shown(evaluate(expression)) == result


@pytest.mark.parametrize(
    "expression",
    [
        "9**9**9", "2**100000", "factorial(99999)", "comb(10**9, 10**8)", "1 << 10**9", "10**3000*10**3000",
        "1/0", "1e308*10**10", "sqrt(-1)", "(-8)**0.5", "__import__('os')", "().__class__", "'a'*10**9",
        "[1]*10**9", "x", "f(1)", "lambda: 1", "", "1 +", "2^10", "(" * 500, "round(1, -10**9)",
        "prod([10**1000, 10**1000, 10**1000, 10**1000])", "lcm(*[1])", "round(1, ndigits=1)", "a" * 1001,
        "pow(2, 10**6)", "1 if 2 else 3", "max()", "int('9'*5000)", "gamma(1000)", "1 @ 2", "perm(99999)",
    ],
)  # fmt: skip
def test_refusals_are_sentences(expression: str):
    with pytest.raises(CannotCalculate, match=r"\w{3,}"):
        evaluate(expression)


@given(st.text(alphabet="0123456789+-*/%().,<>= eE[]sqrtmaxpowfcl", max_size=40))
def test_never_fails_otherwise(expression: str):
    with contextlib.suppress(CannotCalculate):
        shown(evaluate(expression))


async def test_time(bench: Bench):
    output = await bench.call("current_time", timezone="Asia/Tokyo")
    stamp, _, rest = output.seen.partition(" ")
    assert (
        datetime.fromisoformat(stamp).utcoffset()
        == datetime.fromisoformat("2020-01-01T00:00:00+09:00").utcoffset()
    )
    assert rest.endswith("Asia/Tokyo)")
    assert (await bench.call("current_time")).status == "ok"
    wrong = await bench.call("current_time", timezone="tokyo")
    assert wrong.status == "error"
    assert "Did you mean Asia/Tokyo" in wrong.seen
    assert (await bench.call("current_time", timezone="../../etc/passwd")).status == "error"
