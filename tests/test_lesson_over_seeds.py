"""What several seeds found of one number."""

from __future__ import annotations

import pytest

from genlab.lessons.over_seeds import pointed, told


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1.0, 2.0, 4.5], "2.5 [1.0, 4.5]"),
        ([1234.5], "1,234.5"),
        ([3.01, 2.99], "3.0"),
        ([None, 2.0], "2.0"),
        ([], "–"),
        ([None], "–"),
    ],
)
def test_words(values: list[float | None], words: str) -> None:
    assert told(values) == words


def test_a_point_has_an_interval_where_there_are_seeds_enough() -> None:
    assert pointed([3.0]) == {"y": 3, "low": None, "high": None}
    found = pointed([1.0, 2.0, 3.0], "nats")
    assert found["nats"] == 2
    assert found["low"] == pytest.approx(2 - 4.302653 / 3**0.5)
