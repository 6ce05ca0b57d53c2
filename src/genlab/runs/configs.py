"""Configs side by side: dotted keys, what differs, and a digest of what decides the weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

MISSING = "–"
MAY_DIFFER = {
    "": ("recipe", "start"),
    "data": ("name",),
    "training": (
        "checkpoint_every", "compile", "device", "keep_best", "log_every", "sample_every", "seconds", "steps",
        "threads", "validate_every",
    ),
}  # fmt: skip


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


def digest(config: dict[str, Any]) -> str:
    """Of what in a config decides the weights. Left out: where images and source lie, on what and how long it
    trains, and what it writes on the way, which may differ when a run goes on."""
    told = json.loads(json.dumps(config))
    for place, names in MAY_DIFFER.items():
        section = told.get(place) if place else told
        if isinstance(section, dict):
            for name in names:
                section.pop(name, None)
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
