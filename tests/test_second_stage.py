"""`genlab fit-prior` and `genlab recipes`, as a person types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from genlab.cli import look, use  # noqa: F401
from genlab.cli.root import app
from genlab.data.dataset import Dataset
from genlab.errors import UserError
from genlab.experiment.runner import begin, work
from genlab.experiment.schema import Experiment
from genlab.experiment.second_stage import codes
from genlab.experiment.trained import open_run
from genlab.runs.store import Run

Tiny = Callable[..., Experiment]


@pytest.fixture
def train(tiny: Tiny, dataset: Dataset, runs: Path, tmp_path: Path) -> Callable[..., Run]:
    """A run on a file, whose data a command can load again."""

    def trained(name: str, *assignments: str) -> Run:
        np.savez(tmp_path / "tiny.npz", images=dataset.train.pixels.transpose(0, 2, 3, 1))
        run = begin(tiny(name, *assignments, f"data.name={tmp_path / 'tiny.npz'}"))
        for _ in work(run):
            pass
        return run

    return trained


def said(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("kind", ["mixture", "flow"])
def test_a_prior_is_fitted_kept_and_drawn_from(
    train: Callable[..., Run], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genlab.networks.flow.fit_flow.__kwdefaults__", {**SHORT})
    run = train("vae")
    report = json.loads(said("fit-prior", run.name, "--kind", kind, "--json"))
    assert report["kind"] == kind
    assert report.keys() >= ({"layers", "hidden"} if kind == "flow" else {"components"})
    fitted = open_run(run, prior="fitted")
    assert " fitted" in fitted.model.prior.name
    assert "wrote" in said("generate", run.name, "--prior", "fitted", "-n", "4")


SHORT = {"steps": 5, "batch_size": 8, "hidden": 4}


def test_a_fit_that_can_not_be_is_refused_in_one_sentence(
    train: Callable[..., Run], dataset: Dataset
) -> None:
    gan = train("gan")
    for arguments, sentence in (
        (["--kind", "flow"], "is a GAN and has no codes"),
        (["--kind", "vine"], "'mixture' or 'flow', not 'vine'"),
        (["--kind", "flow", "--components", "3"], "leave it out"),
    ):
        with pytest.raises(UserError, match=sentence):
            CliRunner().invoke(app, ["fit-prior", gan.name, *arguments], catch_exceptions=False)


@pytest.mark.parametrize("assignment", ["network.prior.kind=flow", "network.second_latent=2"])
def test_the_codes_are_draws_of_whatever_the_encoder_makes(
    train: Callable[..., Run], dataset: Dataset, assignment: str
) -> None:
    trained = open_run(train("vae", assignment))
    found = codes(trained, dataset, 20)
    assert found.shape == (20, trained.model.prior.latent_dim)
    assert found.equal(codes(trained, dataset, 20))
    assert not found.equal(trained.encode(found.new_zeros(20, 1, 8, 8)))


def test_a_recipe_is_told_whole() -> None:
    text = said("recipes", "iwae-table1")
    assert "objective.samples=5 objective.bound=iwae objective.gradient=dreg" in text
    assert "iwae-table1-short" in said("recipes")
    assert [row["name"] for row in json.loads(said("recipes", "iwae", "--json"))] == ["iwae"]
