"""The lesson that holds a VAE against a GAN, from what its tasks find to what it says."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from genlab.lessons.catalogue import lesson_called
from genlab.lessons.figures import svg
from genlab.lessons.judging import Findings, judge
from genlab.lessons.lesson import SCALES, Scale, Setting
from genlab.lessons.questions.compare import CLAIMS, LESSON, advice, winner
from genlab.lessons.questions.compare_trials import (
    ARMS,
    BUDGET,
    COURSE,
    NAMES,
    PRICE,
    ahead,
    config,
    spreads,
    steadier,
    steps_of,
)
from genlab.lessons.record import outcome
from genlab.lessons.tasks import Found, Task, in_order
from genlab.recipes import recipe

USUAL: dict[str, dict[str, float]] = {
    "vae": {"fid": 40, "recall": 0.5, "precision": 0.8, "sharpness": 0.5, "c_t": 1, "mse": 0.01, "elbo": -95},
    "vae:fitted": {"fid": 20, "recall": 0.7, "precision": 0.8, "sharpness": 0.5, "c_t": 1, "mse": 0.01,
                   "elbo": -95},
    "gan": {"fid": 10, "recall": 0.6, "precision": 0.9, "sharpness": 1.0, "c_t": 1, "inversion_mse": 0.03},
}  # fmt: skip


def found_by(task: Task, key: str, changed: dict[str, dict[str, float]]) -> Found:
    """What a task might find; `changed` bends it, column by column."""
    kind, *between, last = key.split("/")
    seed, column = int(last), "/".join(between)
    match kind:
        case "train":
            steps = task.given["config"]["training"]["steps"]
            return {"steps": steps, "seconds": 40.0 + seed, "images": 1000, "diverged": False}
        case "prior":
            return {"seconds": 8.0}
        case "measure":
            family, _, prior = column.partition(":")
            usual = f"{family.partition('-by-')[0]}{':fitted' if prior else ''}"
            wobble = changed.get(column, {}).get("wobble", 0.001)
            numbers = {**USUAL[usual], **changed.get(column, {})}
            values: dict[str, Any] = {
                name: {"value": value * (1 + wobble * (-1) ** seed)} for name, value in numbers.items()
            }
            if usual == "gan":
                values["elbo"] = {"unavailable": "a GAN defines no likelihood"}
            part = "generator" if usual == "gan" else "decoder"
            return {"values": values, "cost": {"parameters": {part: 500_484}, "images_per_second": 9000.0}}
        case _:
            return {}


def findings(changed: dict[str, dict[str, float]] | None = None, scale: Scale = "default") -> Findings:
    setting = Setting(scale)
    tasks = LESSON.tasks(setting)
    return LESSON.read(
        setting, {key: found_by(task, key, changed or {}) for key, task in tasks.items() if "/" in key}
    )


def states(found: Findings) -> dict[str, str]:
    return {claim.key: judge(claim, found).state for claim in CLAIMS}


def test_it_is_the_course_s_sixth() -> None:
    assert lesson_called("q6") is lesson_called("compare") is LESSON


@pytest.mark.parametrize(
    ("changed", "key", "state"),
    [
        ({}, "closer", "supported"),
        ({"gan": {"fid": 60}}, "closer", "contradicted"),
        ({"gan": {"fid": 38}}, "closer", "contradicted"),
        ({"gan": {"fid": 30, "wobble": 0.3}}, "closer", "not resolved"),
        ({}, "closer-second", "supported"),
        ({"vae:fitted": {"fid": 8}}, "closer-second", "contradicted"),
        ({}, "prior", "supported"),
        ({"vae:fitted": {"fid": 40}}, "prior", "contradicted"),
        ({}, "recipe", "supported"),
        ({"gan-by-vae": {"fid": 900}}, "recipe", "contradicted"),
        ({"gan-by-vae": {"fid": 45}}, "recipe", "contradicted"),  # however much nearer by its own
        ({}, "covers", "contradicted"),
        ({"vae": {"recall": 0.8}}, "covers", "supported"),
        ({}, "covers-second", "supported"),
        ({}, "blurred", "supported"),
        ({"gan": {"sharpness": 2.0}}, "blurred", "contradicted"),
        ({}, "back", "supported"),
        ({"gan": {"inversion_mse": 0.001}}, "back", "contradicted"),
        ({}, "steady", "contradicted"),
        ({"gan": {"wobble": 0.2}}, "steady", "supported"),
        ({"vae": {"wobble": 0.2}}, "steady", "contradicted"),
        ({}, "copies-gan", "supported"),
        ({"gan": {"c_t": -9}}, "copies-gan", "contradicted"),
        ({"vae": {"c_t": -9}}, "copies-vae", "contradicted"),
    ],
)
def test_each_claim_can_hold_and_fail(changed: dict[str, dict[str, float]], key: str, state: str) -> None:
    assert states(findings(changed))[key] == state


def test_effects_are_in_the_units_that_the_claims_say() -> None:
    values = {claim.key: judge(claim, findings()).value for claim in CLAIMS}
    assert values["closer"] == pytest.approx(2)
    assert values["prior"] == pytest.approx(1)
    assert values["recipe"] == pytest.approx(2)
    assert values["covers-second"] == pytest.approx(0.1)
    assert values["blurred"] == pytest.approx(0.693, abs=1e-3)
    assert values["back"] == pytest.approx(1.585, abs=1e-3)


def test_a_spread_has_an_interval_from_three_seeds_on() -> None:
    assert spreads([(0.0, 0.0), (2.0, 1.0)]) == pytest.approx(1)
    found = findings({"gan": {"wobble": 0.2}})
    assert steadier(found) == pytest.approx([math.log2(0.2 / 0.001)] * 4, abs=0.1), (
        "alike, for seeds alternate"
    )
    for missing in (3, 2):
        found["values"]["gan"]["fid"][missing] = None
        assert len(steadier(found)) == (3 if missing == 3 else 0)


WHAT = "samples near to real images"


@pytest.mark.parametrize(
    ("changed", "side"),
    [
        ({}, "GAN"),
        ({"vae:fitted": {"fid": 5}}, "VAE"),
        ({"vae:fitted": {"fid": 10}}, ""),
        ({"gan": {"fid": 400}}, "VAE"),
    ],
)
def test_the_right_tool_follows_from_the_numbers(changed: dict[str, dict[str, float]], side: str) -> None:
    found = findings(changed)
    assert winner(found, WHAT) == side
    begins = {
        "GAN": "A GAN where this counts:",
        "VAE": "A VAE where this counts:",
        "": "These runs do not tell for:",
    }
    (sentence,) = [each for each in advice(found) if WHAT in each]
    assert sentence.startswith(begins[side])


def test_one_seed_names_no_winner() -> None:
    found = findings()
    for column in found["values"].values():
        column["fid"] = column["fid"][:1]
    assert ahead(found, WHAT, "vae") == ""


@pytest.mark.parametrize("scale", SCALES)
def test_all_that_is_found_is_shown(scale: Scale) -> None:
    found = json.loads(json.dumps(findings(scale=scale), allow_nan=False))
    evidence = LESSON.evidence(found)
    for table in evidence.tables:
        assert all(len(row) == len(table.head) for row in table.rows)
    assert len(evidence.tables[2].rows) == len(ARMS[scale])
    assert "a GAN defines no likelihood" in evidence.tables[0].note
    text = LESSON.text() + LESSON.found(found)
    assert text.count("$") % 2 == 0
    for prediction in LESSON.predictions:
        assert outcome(prediction, found) is not None


def test_the_figure_is_drawn() -> None:
    for figure in LESSON.evidence(findings()).figures:
        assert svg(figure.spec).startswith("<svg")


def test_a_gan_that_diverged_leaves_the_rest_standing() -> None:
    found = findings()
    found["trained"]["gan-by-vae"]["diverged"] = [True] * 4
    for values in found["values"]["gan-by-vae"].values():
        values[:] = [None] * 4
    found["cost"]["gan-by-vae"] = {"parameters": {}, "images_per_second": []}
    assert states(found)["recipe"] == "not resolved"
    evidence = LESSON.evidence(found)
    assert evidence.tables[2].rows[-1][-1] == "4"
    assert svg(evidence.figures[0].spec).startswith("<svg")
    assert LESSON.found(found)


@pytest.mark.parametrize("scale", SCALES)
def test_all_have_one_decoder_and_one_budget(scale: Scale) -> None:
    setting = Setting(scale, seed=3)
    told = {arm: config(setting, arm, 3) for arm in ARMS[scale]}
    assert all(each["network"]["decoder"] == told["vae"]["network"]["decoder"] for each in told.values())
    for arm, each in told.items():
        spent = PRICE[arm] * each["training"]["steps"]
        assert spent == pytest.approx(BUDGET[scale], abs=PRICE[arm])
        assert each["training"]["steps"] == steps_of(scale, arm)
        assert (each["training"]["threads"], each["training"]["seed"]) == (1, 3)


def test_a_recipe_is_taken_over_whole() -> None:
    taken = config(Setting("default"), "vae-by-gan", 0)
    theirs, own = recipe("gan").model_dump(), recipe("vae").model_dump()
    for key in COURSE:
        section, name = key.split(".")
        assert taken[section][name] == theirs[section][name]
    assert taken["optimizer"]["beta2"] == own["optimizer"]["beta2"]
    assert taken["family"] == "vae"
    assert NAMES["vae-by-gan"].endswith("GAN's recipe")


def test_budgets() -> None:
    for scale, most in (("quick", 230), ("default", 1160)):
        tasks = in_order(LESSON.tasks(Setting(scale)).values())  # type: ignore[arg-type]
        assert sum(task.seconds for task in tasks) < most
