"""The newest event of each kind, as reading the whole log would find it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from test_events import EXAMPLES

from genlab.runs.events import KINDS, Event, Saved, Warned, to_line
from genlab.runs.newest import newest


def reading_all(lines: list[Event]) -> dict[str, Event]:
    return {event.kind: event for event in lines}


@pytest.mark.parametrize("seed", range(20))
def test_it_is_what_reading_all_finds(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    events = rng.choices(EXAMPLES, k=rng.randrange(30))
    path = tmp_path / "events.jsonl"
    path.write_text("".join(map(to_line, events)), "utf-8")
    found = newest(path, KINDS)
    assert {kind: each.event for kind, each in found.items()} == reading_all(events)
    text = path.read_bytes()
    for kind, each in found.items():
        assert text[each.at :].startswith(f'{{"event": "{kind}"'.encode())
        assert each.at == 0 or text[each.at - 1 : each.at] == b"\n"


def test_there_may_be_none(tmp_path: Path) -> None:
    assert newest(tmp_path / "events.jsonl", KINDS) == {}
    (tmp_path / "events.jsonl").write_bytes(b"")
    assert newest(tmp_path / "events.jsonl", KINDS) == {}


def test_what_is_torn_damaged_or_only_quoted_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    whole = Saved(1, "x")
    quoting = Warned(2, "storage", '{"event": "saved", "step": 3}', '\n{"event": "saved"')
    damaged = to_line(Saved(4, "y")).replace('"step"', '"stop"')
    torn = to_line(Saved(5, "z"))[:-1]
    path.write_text(to_line(whole) + to_line(quoting) + damaged + torn, "utf-8")
    found = newest(path, ["saved", "warned", "metrics"])
    assert found.keys() == {"saved", "warned"}
    assert found["saved"] == (0, whole)
    assert found["warned"].event == quoting
