"""The rule by which a claim is supported, contradicted or left open."""

from __future__ import annotations

import math

import pytest

from genlab.lessons.judging import Claim, interval, judge


def claim(low: float = -math.inf, high: float = math.inf) -> Claim:
    return Claim("key", "A sentence.", "the effect", lambda f: f["values"], low, high, unit="nats")


@pytest.mark.parametrize(
    ("values", "low", "high", "state"),
    [
        ([5.0, 5.2, 4.9], 2, math.inf, "supported"),
        ([0.1, -0.1, 0.0], 2, math.inf, "contradicted"),  # no effect speaks against an effect
        ([-5.0, -5.2, -4.9], 2, math.inf, "contradicted"),
        ([1.0, 3.0, 2.5], 2, math.inf, "not resolved"),
        ([5.0], 2, math.inf, "not resolved"),  # one seed has no interval
        ([], 2, math.inf, "not resolved"),
        ([0.0, 0.0], -1e-6, 1e-6, "supported"),
        ([1.0, 1.01, 0.99], 0.8, 1.2, "supported"),
        ([1.5, 1.51, 1.49], 0.8, 1.2, "contradicted"),
    ],
)
def test_the_rule(values: list[float], low: float, high: float, state: str) -> None:
    assert judge(claim(low, high), {"values": values}).state == state


def test_the_interval_is_student_s() -> None:
    low, high = interval([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))


def test_words() -> None:
    judged = judge(claim(low=2), {"values": [5.0, 5.2, 4.9]})
    assert judged.text(claim(low=2)) == "supported: 5.03 nats [4.65, 5.41], 3 seeds"
    assert judge(claim(low=2), {"values": [5.0]}).text(claim(low=2)) == "not resolved: 5.00 nats, 1 seed"
    assert claim(low=2).rule == "the effect: 2 nats or more"
    assert claim(high=2).rule == "the effect: 2 nats or less"
    assert claim(1, 2).rule == "the effect: between 1 and 2 nats"
