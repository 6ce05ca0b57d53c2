"""The lesson on latent_dim, from what its tasks find to what it says."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from genlab.lessons.catalogue import lesson_called
from genlab.lessons.figures import svg
from genlab.lessons.judging import Findings, judge
from genlab.lessons.lesson import SCALES, Scale, Setting
from genlab.lessons.questions import latent_dim_trials as trials
from genlab.lessons.questions.latent_dim import CLAIMS, LESSON
from genlab.lessons.tasks import Found, Task, in_order

NEEDED = {"two digits": 3.0, "mnist": 8.0, "stacked-mnist": 24.0}


def found_by(task: Task, changed: dict[str, Any]) -> Found:
    """What a task might find; `changed` bends it."""
    run = task.needs[0]
    config = run.given["config"]
    size, seed = config["network"]["latent_dim"], config["training"]["seed"]
    few, drawn = config["data"]["limit"] == 2000, config["objective"]["drawn"]
    data = "two digits" if run.work == "digits.train" else config["data"]["name"]
    needed = changed.get("needed", NEEDED)[data]
    match task.work:
        case "codes.terms":
            error = (0.05 + 0.2 * math.exp(-size / needed)) * (1 + seed / 100)
            hurt = changed.get("hurt", 0.0) * size / 128 if few else 0.0
            gap = (0.1 + changed.get("gap", 0.0) * size / 128) if few else 0.05
            train = {"mse": error, "rate": 20.0, "active": min(size, 20), "elbo": -100.0, "kl": [1.0] * size}
            return {"train": train, "test": train | {"mse": error * (1 + gap + hurt), "elbo": -101.0}}
        case "samples.drawn":
            worse = 1 + changed.get("samples", 0.0) * size / 128
            return {kind: {"frechet": 40 * worse, "sure": 0.5} for kind in ("prior", "codes")}
        case _:
            assert task.work == "dimensions.measured"
            used = min(size, 20) if drawn and not changed.get("full") else size
            return {"used": used, "nll": 95 + changed.get("nll", 0.0) * size / 128 if drawn else None}


def findings(scale: Scale = "quick", **changed: Any) -> Findings:
    setting, found = Setting(scale), {}
    for key, task in LESSON.tasks(setting).items():
        found[key] = found_by(task, changed)
    read: Findings = json.loads(json.dumps(LESSON.read(setting, found), allow_nan=False))
    return read


@pytest.fixture(scope="module")
def usual() -> Findings:
    return findings(gap=1.0, hurt=1.0, samples=1.0)


def states(findings: Findings) -> dict[str, str]:
    return {claim.key: judge(claim, findings).state for claim in CLAIMS}


@pytest.mark.parametrize("name", ["latent-dim", "q3"])
def test_it_answers_to_its_names(name: str) -> None:
    assert lesson_called(name) is LESSON


def test_what_bears_a_claim_out_supports_it(usual: Findings) -> None:
    assert set(states(usual).values()) == {"supported"}


@pytest.mark.parametrize(
    ("keys", "changed"),
    [
        (("small", "ten-two", "stacked-ten"), {"needed": dict.fromkeys(NEEDED, 0.01)}),
        (("gap-vae", "gap-ae", "worse-vae", "worse-ae", "samples"), {}),
        (("prunes",), {"full": True}),
        (("harmless",), {"nll": 5.0}),
    ],
)
def test_no_effect_contradicts(keys: tuple[str, ...], changed: dict[str, Any]) -> None:
    judged = states(findings(**changed))
    assert [judged[key] for key in keys] == ["contradicted"] * len(keys)


def test_an_autoencoder_that_leaves_dimensions_out_contradicts(usual: Findings) -> None:
    few = [[each | {"used": 1} for each in row] for row in usual["used"]["ae"]]
    assert states(usual | {"used": usual["used"] | {"ae": few}})["fills"] == "contradicted"


def test_what_differs_between_seeds_is_left_open(usual: Findings) -> None:
    used = usual["used"]["vae"]
    apart = [*used[:-1], [used[-1][0] | {"used": 20}, used[-1][1] | {"used": 100}]]
    assert states(usual | {"used": usual["used"] | {"vae": apart}})["prunes"] == "not resolved"


@pytest.mark.parametrize(
    ("errors", "where"),
    [
        ([1.0, 0.1, 0.0], 4.0),  # nine tenths are done just there
        ([1.0, 0.2, 0.0], 8.0),  # half of the way, in the logarithm, from 4 to 16
        ([1.0, 0.0, 0.5], 4 ** 0.9),
        ([0.5, 0.5, 0.5], 1.0),  # nothing is to be had
    ],
)  # fmt: skip
def test_the_elbow(errors: list[float], where: float) -> None:
    assert trials.elbow((1, 4, 16), errors) == pytest.approx(where)


@pytest.mark.parametrize("scale", SCALES)
def test_sizes_are_from_1_to_128_and_all_else_is_shared(scale: Scale) -> None:
    tasks = in_order(LESSON.tasks(Setting(scale, seed=2)).values())
    configs = [task.given["config"] for task in tasks if task.work.endswith(".train")]
    assert {config["network"]["latent_dim"] for config in configs} == set(trials.SIZES[scale])
    assert (min(trials.SIZES[scale]), max(trials.SIZES[scale])) == (1, 128)
    assert {config["training"]["steps"] for config in configs} == {trials.STEPS[scale]}
    assert {config["training"]["seed"] for config in configs} == set(range(2, 2 + LESSON.seeds[scale]))
    assert {config["training"]["threads"] for config in configs} == {1}


def test_the_three_sets_are_of_mnist_whatever_the_data() -> None:
    tasks, other = LESSON.tasks(Setting("quick")), LESSON.tasks(Setting("quick", data="fashion-mnist"))
    for name in trials.SETS:
        assert tasks[f"terms/{name}/5/0"].key == other[f"terms/{name}/5/0"].key
    assert tasks["terms/many/vae/5/0"].key != other["terms/many/vae/5/0"].key


def test_the_budget_is_kept() -> None:
    """Seconds on one thread: two minutes and ten on two cores, with room for other machines."""
    for scale, most in (("quick", 200), ("default", 1000)):
        tasks = in_order(LESSON.tasks(Setting(scale)).values())  # type: ignore[arg-type]
        assert sum(task.seconds for task in tasks) < most


def test_it_is_shown_and_said(usual: Findings) -> None:
    assert len(json.dumps(usual)) < 300_000
    evidence = LESSON.evidence(usual)
    for figure in evidence.figures:
        assert svg(figure.spec).startswith("<svg")
    for table in evidence.tables:
        assert {len(row) for row in table.rows} == {len(table.head)}
    said = LESSON.found(usual)
    assert "Of 128 dimensions it used\n20.0, the autoencoder 128.0" in said
    assert "nan" not in said
    assert "dimensions_used" in LESSON.text()


def test_predictions_are_told_from_the_findings(usual: Findings) -> None:
    came = {each.key: each.came(usual) for each in LESSON.predictions}
    assert (came["used"], came["vae"], came["ae"]) == (20, "worse", "worse")
    assert came["elbow"] == pytest.approx(sum(trials.elbows(usual, "ten")) / 2)
