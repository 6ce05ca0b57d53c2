"""The lesson on the KL term, from what its tasks find to what it says."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from genlab.lessons.catalogue import lesson_called
from genlab.lessons.figures import svg
from genlab.lessons.judging import Findings, judge
from genlab.lessons.lesson import SCALES, Scale, Setting
from genlab.lessons.questions import kl_trials as trials
from genlab.lessons.questions.kl import CLAIMS, LESSON
from genlab.lessons.rate_distortion import linear_optimum
from genlab.lessons.tasks import Found, Task, in_order

LEADING = [4.8, 3.3, 2.9, 2.5, 2.3, 2.0, 1.5, 1.3] + [0.2] * 8


def terms(task: Task, changed: dict[str, Any]) -> Found:
    """A VAE that says the less the larger β is."""
    beta, seed = of(task)
    rate, distortion = 30 / (0.2 + beta), 80 + 10 * beta + seed / 10
    elbo, gap = -rate - distortion, changed.get("gap0" if beta == 0 else "gap1", 0.0)
    shared = {"rate": rate, "mse": 0.05 + beta / 100, "active": 16 - int(beta), "kl": [rate / 16] * 16}
    test = shared | {"distortion": distortion, "elbo": elbo} | changed.get("test", {})
    return {"test": test, "train": shared | {"distortion": distortion - gap, "elbo": elbo + gap}}


def of(task: Task) -> tuple[float, int]:
    config = task.needs[0].given["config"]
    return config["objective"]["beta"], config["training"]["seed"]


def linear(task: Task, changed: dict[str, Any]) -> Found:
    rows = []
    for run in task.needs:
        best = linear_optimum(LEADING, 40, 8, run.given["config"]["objective"]["beta"], trials.SIGMA)
        rows.append({"active": best.active + changed.get("more", 0), "rate": best.rate,
                     "distortion": best.distortion + changed.get("excess", 0)})  # fmt: skip
    return {"leading": LEADING, "total": 40.0, "runs": rows}


def found_by(task: Task, changed: dict[str, Any]) -> Found:
    """What a task might find; `changed` bends it."""
    if task.work == "linear.measured":
        return linear(task, changed)
    beta, seed = of(task)
    jitter = 1 + seed / 100
    match task.work:
        case "codes.terms":
            return terms(task, changed)
        case "samples.drawn":
            near, far = 50 * jitter, changed.get("far", 200)
            bad = {"frechet": far if beta == 0 else near, "sure": 0.3}
            return {
                "prior": bad,
                "codes": {"frechet": changed.get("holes", 90) if beta == 0 else near, "sure": 0.4},
            }
        case "space.looked_at":
            jump = changed.get("jump", 2.0) if beta == 0 else 1.5
            return {"marginal_kl": changed.get("apart", 0.3) * jitter, "reach": 1.0, "jump": jump}
        case _:
            assert task.work == "plane.of_codes"
            right = changed.get("right", 0.6) if beta == 1 else 0.5
            return {"points": [[0.1, -2.0, 3], [1.0, 0.5, 7]], "neighbours": right}


def findings(scale: Scale = "quick", **changed: Any) -> Findings:
    setting = Setting(scale)
    found = {key: found_by(task, changed) for key, task in LESSON.tasks(setting).items()}
    read: Findings = json.loads(json.dumps(LESSON.read(setting, found), allow_nan=False))
    return read


@pytest.fixture(scope="module")
def usual() -> Findings:
    return findings(gap0=6.0, gap1=2.0)


def states(findings: Findings) -> dict[str, str]:
    return {claim.key: judge(claim, findings).state for claim in CLAIMS}


@pytest.mark.parametrize("name", ["kl", "q2"])
def test_it_answers_to_its_names(name: str) -> None:
    assert lesson_called(name) is LESSON


def test_what_bears_a_claim_out_supports_it(usual: Findings) -> None:
    assert set(states(usual).values()) == {"supported"}


@pytest.mark.parametrize(
    ("key", "changed"),
    [
        ("prior", {"apart": 4.0}),
        ("classes", {"right": 0.5}),
        ("samples", {"far": 51.0}),
        ("holes", {"holes": 51.0}),
        ("smooth", {"jump": 1.5}),
        ("regularises", {"gap0": 2.0, "gap1": 2.0}),
        ("trade", {"test": {"distortion": 80.0}}),
        ("collapse", {"test": {"active": 16}}),
        ("predicted", {"more": 1}),
        ("curve", {"excess": 3.0}),
    ],
)
def test_no_effect_contradicts(key: str, changed: dict[str, Any]) -> None:
    assert states(findings(**changed))[key] == "contradicted"


def test_what_lies_on_the_edge_is_left_open() -> None:
    assert states(findings(apart=1.0))["prior"] == "not resolved"


def test_without_labels_nothing_is_said_of_classes(usual: Findings) -> None:
    plane = {beta: each | {"neighbours": [None, None]} for beta, each in usual["plane"].items()}
    bare = usual | {"plane": plane}
    assert states(bare)["classes"] == "not resolved"
    assert "read rightly in\n– %" in LESSON.found(bare)
    assert {each.key: each.came(bare) for each in LESSON.predictions}["plane"] is None


@pytest.mark.parametrize("scale", SCALES)
def test_arms_differ_in_beta_alone_and_share_seeds_and_steps(scale: Scale) -> None:
    tasks = in_order(LESSON.tasks(Setting(scale, seed=3)).values())
    configs = [deepcopy(task.given["config"]) for task in tasks if task.work == "training.train"]
    assert {config["training"]["seed"] for config in configs} == set(range(3, 3 + LESSON.seeds[scale]))
    nonlinear = [config for config in configs if not config["observation"]["linear"]]
    assert {config["training"]["steps"] for config in nonlinear} == {trials.STEPS[scale]}
    for config in configs:
        config["objective"]["beta"] = config["training"]["seed"] = 0
    kinds = {json.dumps(config) for config in configs}
    assert len(kinds) == 4  # the VAE, the plane, few images, the linear one


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
    assert [each.path for each in evidence.pictures] == [
        "samples.png",
        "lines.png",
        "plane-0.png",
        "plane-1.png",
    ]
    said = LESSON.found(usual)
    assert "nan" not in said
    assert "8 predicted and 8.0 found at β = 1;" in said
    assert "kl_per_dimension" in LESSON.text()


def test_predictions_are_told_from_the_findings(usual: Findings) -> None:
    came = {each.key: each.came(usual) for each in LESSON.predictions}
    assert came == {"best": "between 0 and 1", "active": 6, "plane": "with it", "smooth": "with it"}
