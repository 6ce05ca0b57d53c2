"""Seconds become steps, once and before a run begins; a live run's looks are in seconds, too."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, cycle

import pytest

from genlab.data.dataset import Dataset
from genlab.experiment import runner
from genlab.experiment.runner import SHEETS, begin, timed, trial_seconds, work
from genlab.experiment.schema import Experiment, parse
from genlab.runs.store import Run
from genlab.training.state import State

Tiny = Callable[..., Experiment]

pytestmark = pytest.mark.usefixtures("runs")


def config(run: Run) -> Experiment:
    return parse(run.config(), "config.json")


def test_a_budget_in_seconds_becomes_steps_once(
    tiny: Tiny, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(tiny("vae", "training.seconds=0.2"), dataset=dataset)
    steps = config(run).training.steps
    assert 1 <= steps != 7
    monkeypatch.setattr(runner, "calibrate", lambda *_: pytest.fail("calibrated again"))
    list(work(run, dataset=dataset))
    assert (run.status()["step"], run.status()["steps"]) == (steps, steps)
    assert config(run).training.steps == steps


def test_a_live_run_draws_a_sheet_a_second_and_never_too_many(tiny: Tiny) -> None:
    training = tiny("vae", "training.seconds=60").training
    assert (timed(training, 0.01, live=False).steps, timed(training, 0.01, live=False).log_every) == (6000, 1)
    live = timed(training, 0.01, live=True)
    assert (live.steps, live.log_every, live.sample_every) == (6000, 50, 100)
    assert timed(training, 3.0, live=True).log_every == 1  # a step takes longer than a look
    long = timed(training.model_copy(update={"seconds": 36_000.0}), 0.01, live=True)
    assert long.steps // long.sample_every == SHEETS


def test_a_live_run_without_a_budget_keeps_its_steps(tiny: Tiny, dataset: Dataset) -> None:
    experiment = tiny("vae", "training.steps=9")
    live = config(begin(experiment, dataset=dataset, live=True)).training
    assert live.steps == 9
    assert live.sample_every > 9  # so tiny a model takes more steps a second


@pytest.mark.parametrize(
    ("budget", "seconds"), [(None, 1.5), (2.0, 0.5), (20.0, 1.5), (600.0, 6.0), (86_400.0, 10.0)]
)
def test_a_longer_training_is_tried_for_longer(budget: float | None, seconds: float) -> None:
    assert trial_seconds(budget) == seconds


def test_the_budget_s_steps_are_those_of_an_average_step(
    tiny: Tiny, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 20 ms a step on the average, 10 ms for most, 5 seconds are 250 steps, however slow the first two
    are."""
    durations = chain([3.0, 1.0], cycle([0.01, 0.01, 0.04]))

    def instantly(state: State, *_: object) -> None:
        state.seconds += next(durations)

    monkeypatch.setattr(runner, "advance", instantly)
    monkeypatch.setattr(runner, "CALIBRATION", (0.1, 0.1))
    steps = config(begin(tiny("vae", "training.seconds=5"), dataset=dataset)).training.steps
    assert steps == pytest.approx(250, abs=2)
