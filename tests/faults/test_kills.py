"""Killed at any instant, a run loses at most the steps since its last checkpoint, and resumed is bit for bit
the run that never stopped. (`scripts/faults` does the same a few hundred times.)"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.cases import CASES, copied, prepare, signalled, trials
from faults.nursery import Nursery
from faults.sameness import differences, log
from genlab.runs.files import read_json, write_json
from genlab.runs.store import Run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked here")


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as opened:
        yield opened


@pytest.mark.parametrize("case", CASES)
def test_killed_at_any_instant_it_ends_as_if_it_had_not_been(
    case: str, nursery: Nursery, tmp_path: Path
) -> None:
    prepared = prepare(case, tmp_path / "case", nursery)
    done = list(trials(prepared, nursery, kills=8, seed=0))
    assert [(trial.where, trial.problems) for trial in done if trial.problems] == []
    assert sum(trial.kills for trial in done) >= 8


@pytest.mark.parametrize("sent", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_ends_it_with_a_checkpoint(sent: str, nursery: Nursery, tmp_path: Path) -> None:
    prepared = prepare("gan, its best kept", tmp_path / "case", nursery)
    clean = 0
    for at in range(1, prepared.instants, prepared.instants // 6):
        run = copied(prepared.fresh, tmp_path / f"{sent}-{at}")
        cleanly, problems = signalled(run, prepared, nursery, sent, at)
        assert problems == []
        clean += cleanly
    assert clean >= 4, "the others came before the training had begun"


def test_what_was_changed_by_a_kill_would_be_seen(nursery: Nursery, tmp_path: Path) -> None:
    prepared = prepare("vae", tmp_path / "case", nursery)
    other = copied(prepared.whole.path, tmp_path / "other")
    assert differences(other, prepared.whole) == []
    sheet = next(other.samples.glob("*.png"))
    sheet.write_bytes(sheet.read_bytes() + b"\0")
    (line, *rest) = (other.path / "events.jsonl").read_text("utf-8").splitlines(keepends=True)
    (other.path / "events.jsonl").write_text("".join([line, *rest, rest[3]]), "utf-8")
    (other.checkpoints / ".step-0000040.safetensors.0a0b0c0d.part").write_bytes(b"")
    found = differences(other, prepared.whole)
    assert [words.split(" ")[0] for words in found] == [
        sheet.name,
        "the",
        ".step-0000040.safetensors.0a0b0c0d.part",
    ]
    assert len(log(other)) == len(log(prepared.whole)) + 1


@pytest.mark.parametrize("at", range(1, 90, 11))
def test_a_report_is_the_old_or_the_new_one(nursery: Nursery, tmp_path: Path, at: int) -> None:
    run = Run(tmp_path)
    write_json(run.report, {"number": -1, "values": []})
    end = nursery.run("report", tmp_path, at=at)
    found = read_json(run.report)
    if end.how == "killed":
        assert found["number"] in range(-1, 20)
    assert len(found["values"]) == (0 if found["number"] < 0 else 5000)
