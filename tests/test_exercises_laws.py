"""Readers' functions held against the lab's: right ones pass, and every known mistake is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from exercise_answers import RIGHT, answered
from torch import Tensor

from genlab.lessons.exercises.catalogue import EXERCISES
from genlab.lessons.exercises.child import BLANK, checked, judgement, run
from genlab.lessons.exercises.equations import PROBLEMS, SURE
from genlab.lessons.exercises.laws import REDUCTIONS, Mistake, composed, judge
from genlab.lessons.exercises.learning import TRAININGS

MISTAKES = [(name, each) for name, problem in PROBLEMS.items() for each in problem.mistakes]


def known(pair: Any) -> str:
    return pair.key if isinstance(pair, Mistake) else str(pair)


def function(name: str, body: str, folder: Path) -> Callable[..., Any]:
    module = run(answered(name, body, folder))
    found: Callable[..., Any] = getattr(module, EXERCISES[name].function)
    return found


@pytest.mark.parametrize("name", EXERCISES)
def test_a_right_answer_passes(name: str, tmp_path: Path) -> None:
    told = judgement(EXERCISES[name], function(name, RIGHT[name], tmp_path))
    assert told["wrong"] == []
    assert len(told["passed"]) >= 2


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_lab_s_own_function_passes(name: str) -> None:
    assert judge(PROBLEMS[name].right, PROBLEMS[name]).wrong == []


@pytest.mark.parametrize(("name", "mistake"), MISTAKES, ids=known)
def test_every_mistake_is_named(name: str, mistake: Mistake) -> None:
    assert judge(mistake.function, PROBLEMS[name]).wrong == [mistake.sentence]


def test_no_two_mistakes_are_told_by_one_key() -> None:
    keys = [(name, mistake.key) for name, mistake in MISTAKES]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("reduction", [each for each in REDUCTIONS if each != "none"])
def test_a_mean_where_each_example_s_value_is_asked_for(name: str, reduction: str) -> None:
    reduce, sentence = REDUCTIONS[reduction]
    assert judge(composed(PROBLEMS[name].right, reduce), PROBLEMS[name]).wrong == [sentence]


def test_two_mistakes_at_once_are_both_named() -> None:
    wrong = judge(lambda d, real, fake: (F.softplus(-d(real)) + F.softplus(d(fake))).mean(),
                  PROBLEMS["discriminator-loss"]).wrong  # fmt: skip
    assert len(wrong) == 2
    assert "detach" in wrong[0]
    assert "mean over the batch" in wrong[1]


@pytest.mark.parametrize(
    "loss",
    [
        lambda logits: -torch.log(torch.sigmoid(logits)),
        lambda logits: -torch.log(torch.sigmoid(logits) + 1e-8),
        lambda logits: F.binary_cross_entropy(
            torch.sigmoid(logits), torch.ones_like(logits), reduction="none"
        ),
    ],
)
def test_a_loss_that_is_lost_where_the_discriminator_is_sure(loss: Callable[[Tensor], Tensor]) -> None:
    assert judge(lambda d, fake: loss(d(fake)), PROBLEMS["generator-loss"]).wrong == [SURE]


def test_noise_of_one_s_own() -> None:
    def own(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
        return mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)

    assert judge(own, PROBLEMS["reparameterize"]).wrong == [PROBLEMS["reparameterize"].impure]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda mean, log_var: None, "return missing"),
        (lambda mean, log_var: ..., "three dots"),
        (lambda mean, log_var: 1.5, "it returns float"),
        (lambda mean, log_var: (mean + log_var)[:, :1].T.repeat(2, 1), "returns shape"),
        (lambda mean, log_var: 3 * mean.sum(dim=1), "its values differ"),
        (lambda mean, log_var: mean.sum(dim=1) / 0, "not a finite number"),
        (lambda mean, log_var: log_var.data.add_(1).sum(dim=1), "in place"),
        (
            lambda mean, log_var: PROBLEMS["kl-divergence"].right(mean, log_var.detach()),
            "gradient in log_var",
        ),
    ],
)
def test_what_no_mistake_explains_is_described(wrong: Callable[..., Any], said: str) -> None:
    (sentence,) = judge(wrong, PROBLEMS["kl-divergence"]).wrong
    assert said in sentence


def found(name: str, body: str, folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    said: list[dict[str, Any]] = []
    last = checked(answered(name, body, folder), EXERCISES[name], lambda **what: said.append(what))
    return last, said


@pytest.mark.parametrize("name", EXERCISES)
def test_a_blank_file_is_not_filled_in_yet(name: str, tmp_path: Path) -> None:
    last, said = found(name, 'raise NotImplementedError("fill this in")', tmp_path)
    assert last == {"done": True}
    assert said[-1] == {"wrong": [BLANK]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return mean + nonsense", r"it fails with NameError: name 'nonsense' is not defined \(line \d+\)"),
        ("return mean @ noise", r"it fails with RuntimeError: .*\(line \d+\)"),
        ("return reparameterize(mean, log_var, noise)", "calls itself without end"),
        ("raise SystemExit(3)", r"a call of exit \(3\)"),
    ],
)
def test_a_function_that_fails_is_told_where(body: str, said: str, tmp_path: Path) -> None:
    _, told = found("reparameterize", body, tmp_path)
    assert re.search(said, told[-1]["wrong"][0])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import not_there", "ModuleNotFoundError: No module named 'not_there' (line 1)"),
        ("raise SystemExit(0)", "a call of exit (0)"),
        ("1 / 0", "ZeroDivisionError: division by zero (line 1)"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_run_is_unusable(line: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"{line}\ndef elbo(): ...\n")
    assert checked(path, EXERCISES["elbo"], lambda **what: None) == {
        "unusable": f"the file does not run: {said}"
    }


def test_a_name_that_is_no_function_is_unusable(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("elbo = 3\n")
    assert checked(path, EXERCISES["elbo"], lambda **what: None) == {"unusable": "elbo is not a function"}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXERCISES)
def test_a_right_function_trains_a_small_model(name: str, tmp_path: Path) -> None:
    learned = TRAININGS[name](function(name, RIGHT[name], tmp_path))
    assert learned.learned, learned.sentence


@pytest.mark.slow
def test_a_wrong_function_does_not_learn() -> None:
    assert not TRAININGS["elbo"](lambda raw, pixels, mean, log_var: (raw * 0).flatten(1).sum(dim=1)).learned
