"""The lesson on encoder and discriminator, from what its tasks find to what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genlab.lessons.catalogue import lesson_called
from genlab.lessons.figures import svg
from genlab.lessons.judging import Findings, judge
from genlab.lessons.lesson import SCALES, Scale, Setting
from genlab.lessons.questions.encoder_and_discriminator import CLAIMS, LESSON, SEEDS, config
from genlab.lessons.record import outcome
from genlab.lessons.tasks import Found, Task, in_order

KINDS = ("training images", "test images", "a VAE's reconstructions", "a VAE's samples", "the GAN's samples")
SUPPORTED = {claim.key: "supported" for claim in CLAIMS}


def found_by(task: Task, seed: int, changed: dict[str, float]) -> Found:
    """What a task might find where every claim holds; `changed` bends it."""
    jitter = seed / 1000

    def value(key: str, usual: float) -> float:
        return changed.get(key, usual) + jitter

    def row(features: int, digit: float, real: float, pixels: float) -> dict[str, float]:
        return {"features": features, "class": digit, "real": real, "pixels": pixels}

    match task.work:
        case "training.train":
            return {"diverged": False}
        case "twin.train":
            return {"diverged": False, "difference": 0.0}
        case "probing.probes":
            first = [row(784, 0.85, 0.9, 1.0)] * 3
            encoder, critic = value("encoder", 0.95), value("critic", 0.9)
            return {
                "chance": 0.11,
                "encoder": [*first, row(256, encoder, 0.8, value("rebuilt", 0.8)), row(32, 0.85, 0.7, 0.6)],
                "discriminator": [
                    *first, row(256, critic, 0.95 + jitter, 0.6), row(1, value("logit", 0.12), 0.7, 0.01)
                ],
                "untrained": [*first, row(256, 0.8, 0.85, 0.75)],
            }  # fmt: skip
        case "scores.measured":
            scaled = [{"scale": s, "accuracy": 0.7, "loss": 1.2 + 0.1 * s, "gradient": s}
                      for s in (0.25, 1.0, 4.0)]  # fmt: skip
            bins = [
                {"probability": 0.2, "share": 0.3, "images": 50},
                {"probability": 0.8, "share": 0.7, "images": 9},
            ]
            one = {"scores": {kind: [-2.0, -1.0, 0.0, 1.0, 2.0] for kind in KINDS},
                   "calibration": {"error": 0.1, "bins": bins}, "scaled": scaled}  # fmt: skip
            return {"non-saturating": one, "hinge": one}
        case "ahead.discriminator":
            hinge = task.name.startswith("the hinge")
            return {"rows": [
                {"steps": steps, "loss": 1.2, "accuracy": 0.7, "minimax loss": -0.2,
                 "calibration": value("hinge" if hinge else "calibration", 0.02),
                 "minimax gradient": 0.2 * (1 if not steps else 10 ** value("minimax", 0.0)),
                 "non-saturating loss": 1.0 + (value("hurt", 2.0) if steps else 0),
                 "non-saturating gradient": 0.4 * (1 if not steps else 20)}
                for steps in task.given["marks"]]}  # fmt: skip
        case "ahead.encoder":
            helped = value("helped", -1.0)
            return {
                "rows": [
                    {"steps": each, "loss": 120 + (helped if each else 0)} for each in task.given["marks"]
                ]
            }
        case _:
            assert task.work == "optimum.gaussians"
            found: dict[str, Any] = {"least": 0.71263, "most": 0.84, "x": [-1.0, 1.0]}
            for loss in ("non-saturating", "hinge", "wasserstein"):
                key = "short, wasserstein" if loss == "wasserstein" else "short"
                right = 0.84 - changed.get(key, 0.0005) - jitter / 100
                rows = [
                    {"samples": each, "excess": value("excess", 0.001), "distance": 0.1, "accuracy": right}
                    for each in task.given["marks"]
                ]
                found[loss] = {"rows": rows, "curve": [2.0, -2.0]}
            return found


def findings(changed: dict[str, float] | None = None, scale: Scale = "default") -> Findings:
    setting = Setting(scale)
    tasks = LESSON.tasks(setting)
    return LESSON.read(
        setting, {key: found_by(task, int(key.split("/")[1]), changed or {}) for key, task in tasks.items()}
    )


def states(found: Findings) -> dict[str, str]:
    return {claim.key: judge(claim, found).state for claim in CLAIMS}


def test_it_is_the_course_s_fifth() -> None:
    assert lesson_called("q5") is lesson_called("encoder-and-discriminator") is LESSON


def test_where_all_claims_hold_all_are_supported() -> None:
    assert states(findings()) == SUPPORTED


@pytest.mark.parametrize(
    ("changed", "key", "state"),
    [
        ({"rebuilt": 0.6}, "rebuild", "contradicted"),
        ({"encoder": 0.9}, "class", "contradicted"),
        ({"critic": 0.8085}, "learned", "not resolved"),
        ({"critic": 0.8}, "learned", "contradicted"),
        ({"logit": 0.3}, "one-number", "contradicted"),
        ({"calibration": 0.2}, "probability", "contradicted"),
        ({"calibration": 0.2}, "probability-settled", "contradicted"),
        ({"calibration": 0.048}, "probability", "not resolved"),
        ({"hinge": 0.2}, "probability-hinge", "contradicted"),
        ({"excess": 0.05}, "optimum", "contradicted"),
        ({"short": 0.01}, "accuracy", "contradicted"),
        ({"short, wasserstein": 0.01}, "accuracy-wasserstein", "contradicted"),
        ({"helped": 0.5}, "cooperation", "contradicted"),
        ({"hurt": -0.5}, "competition", "contradicted"),
        ({"minimax": -2.0}, "success-minimax", "contradicted"),
        ({"minimax": 1.0}, "loss-matters", "contradicted"),
    ],
)
def test_each_claim_can_fail(changed: dict[str, float], key: str, state: str) -> None:
    assert states(findings(changed))[key] == state


def test_effects_are_in_the_units_that_the_claims_say() -> None:
    values = {claim.key: judge(claim, findings()).value for claim in CLAIMS}
    assert values["rebuild"] == pytest.approx(20, abs=0.3)
    assert values["class"] == pytest.approx(5)
    assert values["real"] == pytest.approx(15, abs=0.3)
    assert values["one-number"] == pytest.approx(1, abs=0.3)
    assert values["competition"] == pytest.approx(2, abs=0.01)
    assert values["success-nonsaturating"] == pytest.approx(1.301, abs=1e-3)


@pytest.mark.parametrize("scale", SCALES)
def test_all_that_is_found_is_shown(scale: Scale) -> None:
    found = json.loads(json.dumps(findings(scale=scale), allow_nan=False))
    evidence = LESSON.evidence(found)
    assert evidence.figures[0].key == "read"
    for table in evidence.tables:
        assert all(len(row) == len(table.head) for row in table.rows)
    text = LESSON.text() + LESSON.found(found)
    assert "nan" not in text.lower().split()
    assert text.count("$") % 2 == 0
    for prediction in LESSON.predictions:
        assert outcome(prediction, found) is not None


def test_the_figures_are_drawn() -> None:
    for figure in LESSON.evidence(findings()).figures:
        assert svg(figure.spec).startswith("<svg")


def test_what_the_minimax_gradient_did_is_one_of_the_options() -> None:
    ahead = LESSON.predictions[-1]
    said = [outcome(ahead, findings({"minimax": each})) for each in (-1.0, 0.0, 1.0)]
    assert said == list(ahead.options)  # type: ignore[union-attr]


@pytest.mark.parametrize("scale", SCALES)
def test_both_trunks_are_of_one_make_and_have_equal_budgets(scale: Scale) -> None:
    setting = Setting(scale, seed=3)
    told: dict[str, Any] = {arm: config(setting, arm, 3) for arm in ("vae", "non-saturating", "hinge")}
    for arm in ("non-saturating", "hinge"):
        encoder, critic = told["vae"]["network"]["encoder"], told[arm]["network"]["discriminator"]
        assert {key: critic[key] for key in encoder.keys() & critic.keys()} == {
            key: encoder[key] for key in encoder.keys() & critic.keys()
        }
        for section in ("optimizer", "training", "data"):
            assert told[arm][section] == told["vae"][section]
        assert told[arm]["network"]["decoder"] == told["vae"]["network"]["decoder"]
    assert told["vae"]["training"]["threads"] == 1


def test_its_tasks_are_known_and_come_after_what_they_need() -> None:
    tasks = LESSON.tasks(Setting("quick"))
    ordered = in_order(tasks.values())
    assert len(ordered) == len(tasks) == 9 * SEEDS["quick"]
    assert sum(task.seconds for task in ordered) < 220
    assert sum(task.seconds for task in in_order(LESSON.tasks(Setting()).values())) < 1100
