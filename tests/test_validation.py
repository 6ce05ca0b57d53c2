"""Validation: what is measured, against what, and that measuring changes nothing."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from genlab.cli import train  # noqa: F401  (adds its command to `app`)
from genlab.cli.root import app
from genlab.data.batches import to_float
from genlab.data.binarise import binarised
from genlab.data.dataset import Dataset, Images
from genlab.errors import UserError
from genlab.evaluation.feature_networks import random_extractor
from genlab.experiment import validation
from genlab.experiment.build import build_model
from genlab.experiment.runner import begin, work
from genlab.experiment.schema import Experiment
from genlab.experiment.validation import Validator, deciding, validator
from genlab.networks.model import VAE
from genlab.runs.events import Event, Metrics, Validated
from genlab.runs.store import Run
from genlab.training.fit import Diverged

Tiny = Callable[..., Experiment]

EVERY = "training.validate_every=2"


@pytest.fixture
def split(dataset: Dataset) -> Dataset:
    """The small data set with 10 of its 40 training images held out."""
    return replace(dataset, train=dataset.train.take(np.arange(30)),
                   validation=dataset.train.take(np.arange(30, 40)))  # fmt: skip


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer samples, so that a test is short."""
    monkeypatch.setattr(validation, "SAMPLES", 100)
    monkeypatch.setattr(validation, "CHUNK", 50)


def made(experiment: Experiment, dataset: Dataset) -> Validator:
    found = validator(experiment, dataset)
    assert found is not None
    return found


def trained(experiment: Experiment, dataset: Dataset, runs: Any) -> tuple[Run, list[Event]]:
    run = begin(experiment, dataset=dataset)
    return run, list(work(run, dataset=dataset))


@pytest.mark.parametrize("name", ["vae", "gan", "vaegan"])
def test_validating_changes_no_bit_of_training(tiny: Tiny, split: Dataset, runs: Any, name: str) -> None:
    plain, _ = trained(tiny(name), split, runs)
    watched, events = trained(tiny(name, "training.validate_every=1"), split, runs)
    assert sum(isinstance(event, Validated) for event in events) == 7
    last = "step-0000007.safetensors"
    assert (plain.checkpoints / last).read_bytes() == (watched.checkpoints / last).read_bytes()


def test_it_comes_when_asked_and_at_the_end_with_time_and_images(
    tiny: Tiny, split: Dataset, runs: Any
) -> None:
    _, events = trained(tiny("vae", "training.validate_every=3"), split, runs)
    metrics = {event.step: event for event in events if isinstance(event, Metrics)}
    found = [event for event in events if isinstance(event, Validated)]
    assert [event.step for event in found] == [3, 6, 7]
    for event in found:
        assert event.values.keys() == {"nelbo", "fid"}
        assert (event.seconds, event.images) == (metrics[event.step].seconds, metrics[event.step].images)


def test_it_is_not_charged_to_training(
    tiny: Tiny, split: Dataset, runs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Validator.nelbo

    def slower(self: Validator, model: Any) -> float:
        time.sleep(0.3)
        return slow(self, model)

    monkeypatch.setattr(Validator, "nelbo", slower)
    _, events = trained(tiny("vae", EVERY), split, runs)
    last = [event for event in events if isinstance(event, Validated)][-1]
    assert last.seconds < 4 * 0.3, "there were four of them"


@pytest.mark.parametrize("name", ["vae", "gan", "vaegan"])
def test_the_same_weights_get_the_same_values(tiny: Tiny, split: Dataset, name: str) -> None:
    experiment = tiny(name, EVERY)
    model = build_model(experiment, split.shape).eval()
    torch.manual_seed(1)
    first = made(experiment, split)(model)
    torch.manual_seed(2)
    assert made(experiment, split)(model) == first


def test_test_images_choose_nothing(tiny: Tiny, split: Dataset) -> None:
    experiment = tiny("vae", EVERY)
    model = build_model(experiment, split.shape).eval()
    black = replace(split, test=Images(np.zeros_like(split.test.pixels), split.test.labels))
    assert made(experiment, black)(model) == made(experiment, split)(model)
    dark = replace(split, validation=split.validation and Images(
        np.zeros_like(split.validation.pixels), split.validation.labels))  # fmt: skip
    assert made(experiment, dark)(model) != made(experiment, split)(model), "validation images do"


def test_without_validation_images_the_names_say_so(tiny: Tiny, dataset: Dataset, split: Dataset) -> None:
    experiment = tiny("vaegan", EVERY)
    model = build_model(experiment, dataset.shape).eval()
    assert made(experiment, split)(model).keys() == {"nelbo", "fid"}
    assert made(experiment, dataset)(model).keys() == {"nelbo/train", "fid/train"}
    black = replace(dataset, test=Images(np.zeros_like(dataset.test.pixels), dataset.test.labels))
    assert made(experiment, black)(model) == made(experiment, dataset)(model)


def test_the_negative_elbo_of_a_model_that_says_nothing(tiny: Tiny, split: Dataset) -> None:
    """q = N(0, I) and every pixel ½: 64 ln 2 nats, exactly."""
    experiment = tiny("vae", EVERY)
    model = build_model(experiment, split.shape).eval()
    assert isinstance(model, VAE)
    for parameter in model.parameters():
        parameter.data.zero_()
    assert made(experiment, split)(model)["nelbo"] == pytest.approx(64 * math.log(2), rel=1e-6)


@pytest.mark.parametrize("kind", ["normal", "mixture"])
def test_the_negative_elbo_is_that_of_many_draws(tiny: Tiny, split: Dataset, kind: str) -> None:
    """Against torch.distributions, with noise of its own; within five standard errors."""
    experiment = tiny("vae", EVERY, f"network.prior.kind={kind}", "network.prior.components=1")
    model = build_model(experiment, split.shape).eval()
    assert isinstance(model, VAE)
    assert split.validation is not None
    images = to_float(torch.from_numpy(split.validation.pixels))
    with torch.no_grad():
        q = model.encode(images)
        posterior = torch.distributions.Normal(q.mean, torch.exp(q.log_var / 2))
        found = []
        for _ in range(400):
            z = posterior.sample()
            raw = model.raw(z)
            pixels = torch.distributions.Bernoulli(logits=raw, validate_args=False)
            seen = pixels.log_prob((images + 1) / 2).flatten(1).sum(1)
            kl = posterior.log_prob(z) - torch.distributions.Normal(0.0, 1.0).log_prob(z)
            found.append((kl.sum(1) - seen).mean())
    several = torch.stack(found)
    value = made(experiment, split)(model)["nelbo"]
    assert abs(value - several.mean()) < 5 * several.std()


class Copies(nn.Module):
    """Draws the given images in turn, with noise of size `noise` on them."""

    def __init__(self, images: Tensor, noise: float) -> None:
        super().__init__()
        self.images, self.noise = images, noise

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        index = torch.arange(n) % len(self.images)
        return self.images[index] + self.noise * torch.randn(n, *self.images.shape[1:], generator=rng)


def test_the_frechet_distance_is_least_for_the_images_themselves(tiny: Tiny, split: Dataset) -> None:
    validate = Validator(tiny("gan", EVERY), split, random_extractor(split.shape))
    assert split.validation is not None
    images = to_float(torch.from_numpy(split.validation.pixels))
    found = [validate.fid(Copies(images, noise)) for noise in (0.0, 0.05, 0.2, 1.0)]  # type: ignore[arg-type]
    assert found == sorted(found)
    assert found[0] < 0.2 * found[1], "only the covariance's n − 1 differs, of 10 images and of 100"


def test_images_are_black_and_white_where_they_were_in_training(tiny: Tiny, split: Dataset) -> None:
    validate = made(tiny("vae", EVERY, "data.binarise=dynamic"), split)
    assert set(validate.encoded.unique().tolist()) == {-1.0, 1.0}
    grey = made(tiny("vae", EVERY), split).encoded
    many = torch.stack([binarised(grey, torch.Generator().manual_seed(i)) for i in range(200)])
    assert (validate.encoded - grey).abs().mean() < 1.2 * (many - grey).abs().mean()


def test_samples_that_are_not_finite_end_the_run(
    tiny: Tiny, split: Dataset, runs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Validator, "fid", lambda self, model: math.nan)
    run = begin(tiny("gan", EVERY), dataset=split)
    with pytest.raises(Diverged, match="fid of the averaged weights is nan after step 2"):
        list(work(run, dataset=split))
    assert run.status()["state"] == "failed"
    assert run.status()["warning"]["detector"] == "divergence"


@pytest.mark.parametrize(
    ("name", "chosen", "decides"),
    [("vae", "auto", "nelbo"), ("gan", "auto", "fid"), ("vaegan", "auto", "fid"), ("vae", "fid", "fid"),
     ("vaegan", "nelbo", "nelbo"), ("vae", "none", None), ("gan", "fid", "fid")],
)  # fmt: skip
def test_what_decides(
    tiny: Tiny, split: Dataset, dataset: Dataset, name: str, chosen: str, decides: str | None
) -> None:
    experiment = tiny(name, EVERY, f"training.keep_best={chosen}")
    assert deciding(experiment, made(experiment, split)) == decides
    against = made(experiment, dataset)
    assert deciding(experiment, against) == (f"{decides}/train" if decides else None)
    assert validator(tiny(name), split) is None
    assert deciding(tiny(name), None) is None


def test_a_gan_can_not_keep_the_best_by_its_elbo(tiny: Tiny) -> None:
    with pytest.raises(UserError, match=r"a GAN has no ELBO.*training\.keep_best=fid"):
        tiny("gan", "training.keep_best=nelbo")


def test_the_command_says_which_checkpoint_is_the_best(tmp_path: Path, runs: Path) -> None:
    path = tmp_path / "blots.npz"
    np.savez(path, images=np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8))
    small = [
        "network.decoder.width=2",
        "network.encoder.hidden=8",
        "training.threads=1",
        "data.validation=0.25",
        "training.validate_every=3",
        "training.keep_best=fid",
    ]
    options = [part for each in small for part in ("--set", each)]
    command = ["train", "vae", "--data", str(path), "--steps", "6", "--batch-size", "4", *options]
    said = CliRunner().invoke(app, command)
    assert said.exit_code == 0, said.output
    events = [event for event in Run(runs / "001-vae-blots").events() if isinstance(event, Validated)]
    best = min(events, key=lambda event: event.values["fid"])
    assert f"validated at step 3: −ELBO {events[0].values['nelbo']:.2f}, FID" in said.output
    assert f"best by fid ({best.values['fid']:.2f}) at step {best.step}" in said.output
    assert "001-vae-blots@best" in said.output
