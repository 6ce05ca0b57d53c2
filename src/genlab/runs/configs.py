"""Configs side by side: dotted keys, and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

MISSING = "–"


def flat(config: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """As in ("objective.beta", 4.0)."""
    for key, value in config.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def differing(configs: Sequence[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """The dotted keys in which configs differ, with each one's value; `MISSING` where one has no such key."""
    flats = [dict(flat(config)) for config in configs]
    keys = dict.fromkeys(key for each in flats for key in each)
    rows = {key: tuple(each.get(key, MISSING) for each in flats) for key in keys}
    return {key: values for key, values in rows.items() if any(value != values[0] for value in values)}
