"""The lesson on the hand-over, from what its tasks find to what it says."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from genlab.lessons.catalogue import lesson_called
from genlab.lessons.figures import svg
from genlab.lessons.judging import Findings, judge
from genlab.lessons.lesson import SCALES, Scale, Setting
from genlab.lessons.questions.decoder_to_generator import CLAIMS, LESSON
from genlab.lessons.questions.decoder_to_generator_trials import (
    ARMS,
    MARKS,
    RUN,
    alike,
    charge,
    needed,
    of_arm,
    reached,
    sooner,
)
from genlab.lessons.record import outcome
from genlab.lessons.tasks import Found, Task, in_order

FRECHET = {"random": (400.0, 30.0), "decoder": (40.0, 10.0)}  # at the start and at the end
RECEIPT = {
    "source": "run", "weights": "averaged", "tensors": 26, "parameters": 500_484, "max_difference": 0.0,
    "training_difference": 1.2, "reloaded_difference": 0.0, "trunk_tensors": None, "trunk_difference": None,
}  # fmt: skip


def found_by(task: Task, key: str, changed: dict[str, Any]) -> Found:
    """What a task might find; `changed` bends it."""
    seed = int(key.split("/")[-1])
    match task.work:
        case "training.train":
            return {"seconds": changed.get("vae", 10.0) + seed / 100}
        case "handover.train":
            arm = key.split("/")[1]
            diversity = changed.get(f"{arm} diversity", 1.0)
            late = [{"step": step, "diversity": diversity} for step in range(0, 2000, 10)]
            receipt = {**RECEIPT, **changed.get("receipt", {})} if ARMS[arm].decoder else None
            if ARMS[arm].trunk and receipt is not None:
                receipt |= {"trunk_tensors": 14, "trunk_difference": 0.0}
            return {"seconds": 100.0, "steps": 1000, "curve": late, "receipt": receipt,
                    "warned": changed.get(f"{arm} warned", [])}  # fmt: skip
        case "drift.measured":
            return drifted(task, key.split("/")[1], seed, changed)
        case _:
            return {}


def drifted(task: Task, arm: str, seed: int, changed: dict[str, Any]) -> Found:
    if arm in changed.get("diverged", ()):
        return {"rows": [], "chance": None}
    marks = task.given["marks"]
    first, last = changed.get(arm, FRECHET["random" if "random" in arm else "decoder"])
    rows = []
    for step in marks:
        share = step / marks[-1]
        between = first * (last / first) ** share + seed / 10
        dip = changed.get("dip", 0.0) if 0 < share < 0.3 else 0.0
        code = 0.7 + changed.get("forgotten", 0.4) * share + seed / 1000
        rows.append({"step": step, "frechet": between + dip, "diversity": 1.0, "pixels": share,
                     "features": share, "code": code})  # fmt: skip
    return {"rows": rows, "chance": 1.2}


def findings(changed: dict[str, Any] | None = None, scale: Scale = "default") -> Findings:
    setting = Setting(scale)
    tasks = LESSON.tasks(setting)
    return LESSON.read(
        setting, {key: found_by(task, f"{key}", changed or {}) for key, task in tasks.items() if "/" in key}
    )


def states(found: Findings) -> dict[str, str]:
    return {claim.key: judge(claim, found).state for claim in CLAIMS}


def test_it_answers_to_the_course_s_names() -> None:
    assert lesson_called("part2") is lesson_called("q4") is lesson_called("decoder-to-generator") is LESSON


@pytest.mark.parametrize(
    ("changed", "key", "state"),
    [
        ({}, "same", "supported"),
        ({"receipt": {"max_difference": 1e-6}}, "same", "contradicted"),
        ({"receipt": {"reloaded_difference": 1e-6}}, "same", "contradicted"),
        ({}, "sooner", "supported"),
        ({"decoder": (40.0, 35.0)}, "sooner", "contradicted"),
        ({}, "sooner-charged", "supported"),
        ({"vae": 90.0}, "sooner-charged", "contradicted"),
        ({}, "better", "supported"),
        ({"decoder": (40.0, 30.0)}, "better", "contradicted"),
        ({"decoder": (40.0, 25.2)}, "better", "not resolved"),
        ({}, "collapse", "contradicted"),
        ({"random diversity": 0.1}, "collapse", "supported"),
        ({"decoder diversity": 0.1}, "collapse", "contradicted"),
        ({}, "dip", "contradicted"),
        ({"dip": 60.0}, "dip", "supported"),
        ({}, "warm-up", "contradicted"),
        ({"decoder-first": (40.0, 5.0)}, "warm-up", "supported"),
        ({}, "forgotten", "supported"),
        ({"forgotten": 0.1}, "forgotten", "contradicted"),
    ],
)
def test_each_claim_can_hold_and_fail(changed: dict[str, Any], key: str, state: str) -> None:
    assert states(findings(changed))[key] == state


def test_one_seed_resolves_nothing() -> None:
    found = findings({"diverged": ()})
    found["arms"] = {arm: runs[:1] for arm, runs in found["arms"].items()}
    assert set(states(found).values()) == {"not resolved"}


def test_a_seed_that_diverged_on_either_side_says_nothing_of_their_difference() -> None:
    found = findings()
    found["arms"]["random"][0] |= {"rows": []}
    better = judge(next(claim for claim in CLAIMS if claim.key == "better"), found)
    assert better.seeds == len(found["seeds"]) - 1


def test_when_a_threshold_is_reached() -> None:
    def run(*distances: float) -> dict[str, Any]:
        return {"rows": [{"step": 100 * i, "frechet": each} for i, each in enumerate(distances)]}

    assert reached(run(40, 30, 20, 10), 25) == 150
    assert reached(run(40, 30, 20, 10), 10) == 300
    assert reached(run(40, 20, 30, 20), 25) == 250, "it must stay there"
    assert reached(run(20, 15, 12), 25) == 0
    assert reached(run(40, 20, 30), 25) is None


def test_what_a_start_saves() -> None:
    found = findings()
    steps = found["steps"]
    mine, theirs = needed(found, "decoder")[0]
    assert theirs == pytest.approx(steps)
    assert mine is not None
    assert sooner(found)[0] == pytest.approx(1 - mine / steps)
    assert charge(found) == pytest.approx(10.015 / (100 / steps))
    assert sooner(found, charged=True)[0] == pytest.approx(1 - (mine + charge(found)) / steps)
    late = findings({"decoder": (40.0, 35.0)})
    assert sooner(late)[0] == pytest.approx(0), "a start that never gets there has needed all steps"


def test_looks_at_the_second_half_alone_are_counted() -> None:
    curve = [{"step": step, "diversity": 0.1 if step <= 75 else 0.9} for step in (25, 50, 75, 100)]
    assert alike(curve, 100) == 0.5
    assert alike(curve[:2], 100) == 1, "it did not get there"


@pytest.mark.parametrize("scale", SCALES)
def test_all_that_is_found_is_shown(scale: Scale) -> None:
    found = json.loads(json.dumps(findings(scale=scale), allow_nan=False))
    evidence = LESSON.evidence(found)
    assert evidence.figures[0].key == "distances"
    for table in evidence.tables:
        assert all(len(row) == len(table.head) for row in table.rows)
    assert [row[0] for row in evidence.tables[1].rows] == [ARMS[arm].name for arm in RUN[scale]]
    text = LESSON.text() + LESSON.found(found)
    assert text.count("$") % 2 == 0
    assert "nan" not in text.lower().split()
    for prediction in LESSON.predictions:
        assert outcome(prediction, found) is not None


def test_the_figures_are_drawn() -> None:
    for figure in LESSON.evidence(findings()).figures:
        assert svg(figure.spec).startswith("<svg")


def test_where_all_diverge_it_says_so() -> None:
    found = findings({"diverged": tuple(ARMS), "random warned": ["divergence"]})
    evidence = LESSON.evidence(found)
    assert not evidence.figures
    assert evidence.tables[1].rows[0][-1] == "divergence: 4"
    assert "diverged" in LESSON.found(found)
    assert [outcome(each, found) for each in LESSON.predictions] == [None] * 4
    assert states(found)["better"] == "not resolved"


def test_outcomes_are_among_the_options() -> None:
    said = {
        key: next(outcome(each, findings(changed)) for each in LESSON.predictions if each.key == key)
        for key, changed in (("ends", {"decoder": (40.0, 90.0)}), ("first", {"dip": 90.0}),
                             ("reads", {"forgotten": 0.05}))
    }  # fmt: skip
    assert said == {
        "ends": "random weights",
        "first": "they spoil it",
        "reads": "nearly all that it read before",
    }


@pytest.mark.parametrize("scale", SCALES)
def test_arms_differ_in_their_start_alone(scale: Scale) -> None:
    setting, marks = Setting(scale, seed=3), MARKS[scale]
    told = {key: of_arm(setting, arm, 3) for key, arm in ARMS.items()}
    for key, config in told.items():
        assert config["training"] == told["random"]["training"]
        assert config["optimizer"] == told["random"]["optimizer"]
        assert config["network"]["discriminator"].pop("weights") == ("encoder" if "trunk" in key else "drawn")
        assert config["network"]["discriminator"] == told["random"]["network"]["discriminator"]
        assert bool(config["objective"]["discriminator_warmup"]) == ARMS[key].first
    assert told["random"]["training"]["threads"] == 1
    assert not any(mark % told["random"]["training"]["checkpoint_every"] for mark in marks)
    trunk = ("kind", "width", "blocks", "hidden", "depth", "norm", "activation")
    network = told["trunk"]["network"]
    assert all(network["encoder"][part] == network["discriminator"][part] for part in trunk)


def test_budgets() -> None:
    for scale, most in (("quick", 230), ("default", 1160)):
        tasks = in_order(LESSON.tasks(Setting(scale)).values())  # type: ignore[arg-type]
        assert sum(task.seconds for task in tasks) < most
    assert math.isfinite(sum(task.seconds for task in in_order(LESSON.tasks(Setting("full")).values())))
