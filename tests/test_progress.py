"""What a terminal shows of warnings and validations, while a run trains and after."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from genlab.cli import look  # noqa: F401  (adds its commands to `app`)
from genlab.cli.progress import follow
from genlab.cli.root import app
from genlab.cli.train import configure
from genlab.recipes import recipe
from genlab.runs.events import Event, Finished, Metrics, Started, Validated, Warned
from genlab.runs.store import Run, create_run

EVENTS: list[Event] = [
    Started(0, 1000, 0.0, {}),
    Metrics(20, {"elbo": -200.0, "kl": 0.5}, 1.0, 2560),
    Warned(320, "posterior collapse", "the code says 0.01 nats about an image", "lower objective.beta"),
    Validated(400, {"nelbo": 190.5, "fid": 88.25}, 20.0, 51_200),
    Warned(500, "divergence", "the loss is 5000 nats", "lower optimizer.learning_rate"),
    Validated(800, {"nelbo": 170.5, "fid": 66.25}, 40.0, 102_400),
    Finished(1000, "completed", 50.0),
]
FIRST = "posterior collapse, step 320: the code says 0.01 nats about an image. Try: lower objective.beta."
LAST = "divergence, step 500: the loss is 5000 nats. Try: lower optimizer.learning_rate."


@pytest.fixture
def run(runs: Path) -> Run:
    run = create_run("vae-mnist", recipe("vae").model_dump(mode="json"))
    for event in EVENTS:
        run.append(event)
    return run


def shown(run: Run, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=200, height=50, soft_wrap=True)
    assert list(follow(run, EVENTS, console, run.name)) == EVENTS
    return out.getvalue()


def test_where_no_terminal_is_each_is_a_line(run: Run) -> None:
    lines = shown(run, terminal=False).splitlines()
    assert f"{run.name}: ⚠ {FIRST}" in lines
    assert f"{run.name}: ⚠ {LAST}" in lines
    assert f"{run.name}: validated at step 400: −ELBO 190.50, FID 88.25" in lines


def test_a_terminal_keeps_the_newest_of_each_in_sight(run: Run) -> None:
    last = shown(run, terminal=True).rpartition("\x1b[2K")[2]  # what the display was last drawn as
    assert f"\x1b[33m⚠ {LAST}" in last
    assert FIRST not in last
    assert "validated at step 800: −ELBO 170.50, FID 66.25" in last


def test_show_lists_all_warnings(run: Run) -> None:
    said = CliRunner().invoke(app, ["show", run.name])
    words = " ".join(said.output.split())
    assert f"⚠ {FIRST}" in words
    assert f"⚠ {LAST}" in words
    as_json = json.loads(CliRunner().invoke(app, ["show", run.name, "--json"]).stdout)
    assert [each["step"] for each in as_json["warnings"]] == [320, 500]
    assert as_json["warning"] == as_json["warnings"][-1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["optimizer.learning_rate=1e-4"], True),
        (["optimizer.learning_rate=1e-4", "optimizer.discriminator_rate=1e-4"], False),
        (["training.steps=3"], False),
    ],
)
@pytest.mark.parametrize("recipe", [None, "auto"])
def test_who_sets_one_of_two_rates_hears_of_the_other(
    recipe: str | None, given: list[str], said: bool
) -> None:
    out = io.StringIO()
    configure("gan", recipe, given, None, Console(file=out, width=200))
    assert ("the discriminator's own rate stays at 0.001" in out.getvalue()) is said


def test_a_vae_has_one_rate() -> None:
    out = io.StringIO()
    configure("vae", None, ["optimizer.learning_rate=1e-4"], None, Console(file=out))
    assert not out.getvalue()
