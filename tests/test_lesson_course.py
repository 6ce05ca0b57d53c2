"""The table of claims: every sentence of the course leads to claims that a lesson tests."""

from __future__ import annotations

import json
from pathlib import Path

from genlab.lessons.catalogue import lesson_called, names
from genlab.lessons.course import COURSE, table
from genlab.lessons.lesson import Setting
from genlab.lessons.record import Record

FINDINGS = json.loads((Path(__file__).parent / "data" / "reparameterization.json").read_text("utf-8"))


def test_every_claim_of_the_table_is_one_of_its_lesson_s() -> None:
    for sentence in COURSE:
        claims = {claim.key for claim in lesson_called(sentence.lesson).claims}
        assert set(sentence.claims) <= claims, sentence.says


def test_every_lesson_is_in_it() -> None:
    assert {sentence.lesson for sentence in COURSE} == set(names())


def test_verdicts_are_read_from_runs() -> None:
    record = Record("reparameterization", Setting("quick"), FINDINGS, {}, "2026-01-02T03:04", 1.0)
    rows = list(table({"reparameterization": record}))
    assert len(rows) == sum(len(sentence.claims) for sentence in COURSE)
    judged = {row.claim.key: row.verdict.state for row in rows if row.verdict is not None}
    assert (judged["detached"], judged["variance"]) == ("supported", "supported")
    assert {row.lesson.name for row in rows if row.verdict is not None} == {"reparameterization"}
