"""Generators that are kept on the way, and how far they go from the decoder that they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import Tiny

from genlab.experiment.trained import open_run
from genlab.lessons.work import codes, contest, drift, handover
from genlab.lessons.work import training as ordinary
from genlab.networks.model import VAE
from genlab.runs.store import Run
from genlab.training import checkpoint
from genlab.training.ema import tensors

MARKS = (0, 2, 4, 6)
CONV = ("network.encoder.kind=conv", "network.encoder.norm=batch")


def quiet(share: float) -> None:
    assert 0 <= share <= 1


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 blots of 8×8, enough for the yardstick."""
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:8, :8]
    centres = rng.uniform(2, 6, (400, 2, 1, 1))
    blots = np.exp(-((rows - centres[:, 0]) ** 2 + (columns - centres[:, 1]) ** 2) / 4)
    path = tmp_path_factory.mktemp("many") / "many.npz"
    np.savez(path, images=np.round(255 * blots).astype(np.uint8))
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlab.experiment.measured.cache_folder", lambda: tmp_path / "cache")


def train_vae(tiny: Tiny, folder: Path, data: Path) -> Path:
    config = tiny("vae", f"data.name={data}", "training.steps=60", *CONV).model_dump(mode="json")
    (folder / "prior").mkdir()
    ordinary.train({"config": config}, folder / "vae", [], quiet)
    ordinary.prior({}, folder / "prior", [folder / "vae"], quiet)
    return folder / "prior"


def train_gan(tiny: Tiny, folder: Path, data: Path, source: Path | None, *settings: str) -> Path:
    config = tiny("gan", f"data.name={data}", "training.steps=6", "training.checkpoint_every=2", *settings)
    given = {"config": config.model_dump(mode="json"), "marks": MARKS}
    folder.mkdir(exist_ok=True)
    handover.train(given, folder, [source] if source else [], quiet)
    return folder


def measured(gan: Path, vae: Path) -> dict[str, Any]:
    return drift.measured({"marks": MARKS, "count": 64, "codes": 20}, gan, [gan, vae], quiet)


@pytest.mark.parametrize("kind", ["normal", "mixture"])
def test_at_the_hand_over_nothing_has_moved(
    tiny: Tiny, many: Path, tmp_path: Path, cache: None, kind: str
) -> None:
    vae = train_vae(tiny, tmp_path, many)
    gan = train_gan(tiny, tmp_path / "gan", many, vae, f"network.prior.kind={kind}",
                    "network.discriminator.weights=encoder", "objective.discriminator_warmup=2")  # fmt: skip
    found = measured(gan, vae)
    rows = found["rows"]
    assert [row["step"] for row in rows] == list(MARKS)
    assert [row["pixels"] > 0 for row in rows] == [False, False, True, True], "D alone, and then both"
    assert rows[0]["features"] == 0
    assert rows[1] == {**rows[0], "step": 2}
    assert found["chance"] > rows[0]["code"]
    assert np.load(gan / drift.PICTURES).shape == (1 + len(MARKS), drift.SHOWN, 1, 8, 8)
    assert measured(gan, vae) == found
    assert open_run(Run(gan / "run")).model.prior.name.startswith(
        "N(0, I)" if kind == "normal" else "Gaussian"
    )


def test_generators_are_those_of_the_checkpoints(tiny: Tiny, many: Path, tmp_path: Path) -> None:
    gan = train_gan(tiny, tmp_path, many, None)
    run = Run(gan / "run")
    for path in checkpoint.list_checkpoints(run.checkpoints):
        step = int(path.stem.removeprefix("step-"))
        kept = tensors(handover.generator_at(gan, step))
        model = open_run(run, step=step).model
        assert all(torch.equal(kept[name], tensor) for name, tensor in tensors(model.decoder).items())
    begun = tensors(handover.generator_at(gan, 0))
    assert not torch.equal(
        begun["layers.0.weight"], tensors(handover.generator_at(gan, 2))["layers.0.weight"]
    )


def test_what_an_interruption_kept_from_being_kept_is_made_up_for(
    tiny: Tiny, many: Path, tmp_path: Path
) -> None:
    gan = train_gan(tiny, tmp_path, many, None)
    last = handover.place_of(gan, 6)
    before = last.read_bytes()
    last.unlink()
    train_gan(tiny, tmp_path, many, None)
    assert last.read_bytes() == before


def test_random_weights_are_measured_against_the_vae_too(
    tiny: Tiny, many: Path, tmp_path: Path, cache: None
) -> None:
    vae = train_vae(tiny, tmp_path, many)
    rows = measured(train_gan(tiny, tmp_path / "gan", many, None), vae)["rows"]
    assert rows[0]["pixels"] > 0


def test_of_a_training_that_did_not_come_to_its_end_there_is_nothing(
    tiny: Tiny, many: Path, tmp_path: Path, cache: None
) -> None:
    vae = train_vae(tiny, tmp_path, many)
    gan = train_gan(tiny, tmp_path / "gan", many, vae)
    asked = {"marks": (*MARKS, 8), "count": 64, "codes": 20}
    assert drift.measured(asked, gan, [gan, vae], quiet) == {"rows": [], "chance": None}


def test_distances_are_in_units_of_the_images_own() -> None:
    before = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    assert drift.apart(before, before) == 0
    assert drift.apart(before.roll(1, dims=0), before) == pytest.approx(1)
    assert drift.apart(before + torch.tensor([1.0, 0.0]), before) == pytest.approx(0.2)


def test_what_is_missed_of_a_code() -> None:
    z = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    assert drift.missed(z, z) == 0
    assert drift.missed(torch.zeros(2, 2), z) == pytest.approx(1)
    assert drift.missed(2 * z, z) == pytest.approx(1)


def test_a_contest(tiny: Tiny, many: Path, tmp_path: Path, cache: None) -> None:
    vae = train_vae(tiny, tmp_path, many)
    gan = train_gan(tiny, tmp_path / "gan", many, None)
    found = {
        (name, prior): contest.measured({"count": 60, "seed": 0, "prior": prior}, tmp_path, [folder], quiet)
        for name, folder, prior in (("vae", vae, "own"), ("vae", vae, "fitted"), ("gan", gan, "own"))
    }
    values = {key: each["values"] for key, each in found.items()}
    assert values["vae", "own"]["fid"]["value"] != values["vae", "fitted"]["fid"]["value"]
    assert values["vae", "own"]["mse"] == values["vae", "fitted"]["mse"]
    assert "unavailable" in values["gan", "own"]["elbo"]
    assert values["gan", "own"]["inversion_mse"]["value"] > 0
    assert contest.drawn({"seed": 0}, tmp_path, [vae, gan], quiet) == {}
    for name in (contest.SAMPLES, contest.BACK):
        assert np.load(tmp_path / name).shape == (3, contest.SHOWN, 1, 8, 8)
    assert isinstance(open_run(Run(vae / "run")).model, VAE)


def test_nothing_is_measured_of_what_diverged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contest, "diverged", lambda folder: True)
    assert contest.measured({"count": 60}, tmp_path, [tmp_path], quiet) == {"values": {}, "cost": None}
    assert contest.drawn({"seed": 0}, tmp_path, [tmp_path, tmp_path], quiet) == {}


def test_a_training_that_diverges_at_once_is_found_so_and_nothing_else_of_it(
    tiny: Tiny, many: Path, tmp_path: Path
) -> None:
    """Before its first checkpoint."""
    config = tiny("vae", f"data.name={many}", "optimizer.learning_rate=100").model_dump(mode="json")
    (tmp_path / "prior").mkdir()
    assert ordinary.train({"config": config}, tmp_path / "vae", [], quiet)["diverged"]
    assert codes.terms({"count": 10}, tmp_path, [tmp_path / "vae"], quiet) == {}
    assert ordinary.prior({}, tmp_path / "prior", [tmp_path / "vae"], quiet) == {"seconds": 0.0}
    assert contest.measured({"count": 60}, tmp_path, [tmp_path / "prior"], quiet)["cost"] is None
