"""What differs between two runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from genlab.cli import look  # noqa: F401  (adds its commands)
from genlab.cli.root import app
from genlab.errors import UserError
from genlab.experiment.process import machine
from genlab.experiment.runner import begin, work
from genlab.experiment.schema import Experiment
from genlab.runs.differences import differences, outcome
from genlab.runs.events import Started
from genlab.runs.store import Run

Tiny = Callable[..., Experiment]
Make = Callable[..., Run]


@pytest.fixture
def make(runs: Path, tiny: Tiny, blots: Path) -> Make:
    def made(*assignments: str) -> Run:
        run = begin(tiny("vae", f"data.name={blots}", *assignments))
        list(work(run))
        return run

    return made


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["show", *arguments], catch_exceptions=False)
    return " ".join(result.output.split())


def test_the_same_config_on_the_same_machine_is_the_same_run(make: Make) -> None:
    first, second = make(), make()
    assert differences(first, second) == {}
    assert outcome(first, second) == (7, True)
    words = said("--diff", first.name, second.name)
    assert "nothing was set differently" in words
    assert "checkpoints at step 7 are equal to the last bit" in words


def test_what_was_set_and_what_came_of_it(make: Make) -> None:
    first, second = make(), make("training.ema=0.5", "training.steps=8")
    assert differences(first, second) == {"training.ema": (0.998, 0.5), "training.steps": (7, 8)}
    assert outcome(first, second) == (5, False)
    words = said("--diff", first.name, second.name)
    assert "training.ema" in words
    assert "checkpoints at step 5 are different" in words
    told = json.loads(said("--diff", first.name, second.name, "--json"))
    assert told["differs"]["training.steps"] == [7, 8]
    assert told["weights"] == {"step": 5, "equal": False}


def test_another_machine_is_told(make: Make) -> None:
    first, second = make(), make()
    second.append(Started(7, 7, 0.0, {**machine(), "cpu": "another one"}))
    (key,) = differences(first, second)
    assert key == "machine.cpu"


def test_runs_without_a_checkpoint_in_common(make: Make, tiny: Tiny, blots: Path) -> None:
    first = make()
    second = begin(tiny("vae", f"data.name={blots}"))
    assert outcome(first, second) is None
    assert "no checkpoint of the same step" in said("--diff", first.name, second.name)


@pytest.mark.parametrize("arguments", [["--diff", "001"], ["001", "002"]])
def test_one_run_alone_does_not_differ(make: Make, arguments: list[str]) -> None:
    make()
    with pytest.raises(UserError, match="two runs and --diff go together"):
        said(*arguments)


def test_the_machine_is_told_in_full() -> None:
    told = machine()
    assert {"cpu", "instructions", "torch", "numpy", "genlab", "threads", "python", "system"} <= told.keys()
    assert all(str(value) for value in told.values())
