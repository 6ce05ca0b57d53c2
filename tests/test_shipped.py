"""The models that come with genlab: ordinary run folders that are only read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from genlab.cli import take, train, use  # noqa: F401
from genlab.cli.root import app as commands
from genlab.data.batches import to_float
from genlab.data.source import load
from genlab.errors import UserError
from genlab.evaluation.feature_networks import shipped_classifier
from genlab.experiment.returning import encoder_of
from genlab.experiment.trained import open_reference, open_run
from genlab.metrics.frechet import frechet_distance
from genlab.runs.notes import read_note
from genlab.runs.store import SHIPPED, Run, find_run, list_runs

NAMES = ["digits-gan", "digits-vae"]
LIMIT = 5_000_000  # bytes of both together
# What may stand in a text is words, numbers and relative paths: no home, no machine.
PRIVATE = re.compile(r"/(home|root|tmp|work|Users|mnt|var)\b|[A-Za-z]:\\|\bhostname\b|\"pid\"")


def everything() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(SHIPPED.rglob("*")) if path.is_file()}


def test_there_are_two_and_they_are_small() -> None:
    assert [run.name for run in list_runs(SHIPPED)] == NAMES
    assert sum(map(len, everything().values())) <= LIMIT


def test_they_say_what_they_are_and_how_they_were_made() -> None:
    for run in list_runs(SHIPPED):
        note = read_note(run)
        assert "comes with genlab" in note.title
        assert "python scripts/ship-models" in note.text
        assert "training.seed=0" in note.text
        assert run.status()["state"] == "completed"


def test_no_file_knows_the_machine_that_made_it() -> None:
    for path, data in everything().items():
        if path.suffix in (".json", ".jsonl"):
            found = PRIVATE.search(data.decode())
            assert not found, (path, found)
        if path.suffix == ".safetensors":
            header = data[8 : 8 + int.from_bytes(data[:8], "little")].decode()
            assert not PRIVATE.search(header), path


def test_they_are_whole_runs_without_what_only_a_training_needs() -> None:
    for run in list_runs(SHIPPED):
        for event in run.events():
            if hasattr(event, "path"):
                assert (run.path / event.path).is_file(), event
        for path in run.path.rglob("*.safetensors"):
            header = json.loads((data := path.read_bytes())[8 : 8 + int.from_bytes(data[:8], "little")])
            assert not [key for key in header if key.startswith(("model/", "optimizer/"))]


def seen(images: torch.Tensor) -> tuple[float, int]:
    """Fréchet distance to as many test images in the shipped classifier's features, and how many of the ten
    digits it recognises."""
    found, real = shipped_classifier()(images), shipped_classifier()(real_digits(len(images)))
    assert isinstance(found.probabilities, torch.Tensor)
    digits = len(found.probabilities.argmax(dim=1).unique())
    return frechet_distance(found.features, real.features), digits


def real_digits(number: int) -> torch.Tensor:
    return to_float(torch.tensor(load("mnist").test.pixels[:number]))


@pytest.mark.parametrize(
    ("reference", "most"), [("digits-gan", 15), ("digits-vae:fitted", 25), ("digits-vae", 60)]
)
def test_what_they_generate_is_digits(runs: Path, reference: str, most: float) -> None:
    distance, digits = seen(open_reference(reference).sample(1000, seed=1).images)
    assert digits == 10
    assert distance < most


def test_noise_would_not_pass_for_digits() -> None:
    noise = torch.rand(1000, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    distance, digits = seen(noise)
    assert digits < 10
    assert distance > 500


def test_the_vae_reconstructs_and_is_the_gans_encoder(runs: Path) -> None:
    gan = open_reference("digits-gan")
    vae = encoder_of(gan)
    assert vae is not None
    assert vae.run.path == SHIPPED / "digits-vae"
    images = real_digits(200)
    assert (vae.reconstruct(images) - images).square().mean().item() / 4 < 0.02
    receipt = gan.run.receipt()
    assert receipt is not None
    assert receipt["source"] == "digits-vae"
    assert receipt["max_difference"] == receipt["reloaded_difference"] == 0
    assert receipt["parameters"] == sum(p.numel() for p in vae.model.decoder.parameters())


def test_they_move_with_their_folder(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(SHIPPED, tmp_path / "elsewhere")
    vae = encoder_of(open_run(Run(tmp_path / "elsewhere" / "digits-gan")))
    assert vae is not None
    assert vae.run.path == tmp_path / "elsewhere" / "digits-vae"


def test_they_are_found_by_name_but_ones_own_run_of_that_name_comes_first(runs: Path) -> None:
    assert find_run("digits-vae").path == SHIPPED / "digits-vae"
    with pytest.raises(UserError, match="no run"):
        find_run("digits")  # only the whole name
    own = runs / "digits-vae"
    own.mkdir(parents=True)
    (own / "config.json").write_text("{}", "utf-8")
    assert find_run("digits-vae").path == own


def test_nothing_is_written_to_them(runs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before, genlab = everything(), CliRunner()
    for arguments in (
        ["generate", "digits-gan", "-n", "4"],
        ["interpolate", "digits-vae", "--prior", "fitted", "--rows", "1"],
        ["encode", "digits-vae"],
        ["reconstruct", "digits-gan"],
    ):
        done = genlab.invoke(commands, arguments)
        assert done.exit_code == 0, done.output
    assert (runs / "digits-gan" / "generated" / "seed-0.png").exists()
    for arguments in (
        ["train", "--resume", "digits-vae"],
        ["train", "--resume", "digits-vae", "--steps", "9000"],
        ["fit-prior", "digits-vae"],
    ):
        with pytest.raises(UserError, match="comes with genlab and is only read"):
            genlab.invoke(commands, arguments, catch_exceptions=False)
    assert everything() == before


def test_latents_that_were_kept_decode_to_the_same_images(runs: Path, tmp_path: Path) -> None:
    genlab, kept, again = CliRunner(), tmp_path / "kept.npz", tmp_path / "again.npz"
    for arguments in (
        ["generate", "digits-vae", "-n", "5", "--out", str(kept)],
        ["decode", "digits-vae", str(kept), "--out", str(again)],
    ):
        done = genlab.invoke(commands, arguments)
        assert done.exit_code == 0, done.output
    first, second = np.load(kept), np.load(again)
    assert np.array_equal(first["images"], second["images"])
    np.savez(tmp_path / "short.npz", latents=np.zeros((2, 3), np.float32))
    with pytest.raises(UserError, match="3 dimensions"):
        genlab.invoke(commands, ["decode", "digits-vae", str(tmp_path / "short.npz")], catch_exceptions=False)
    np.savez(tmp_path / "none.npz", images=np.zeros((2, 8, 8), np.uint8))
    with pytest.raises(UserError, match="no array named latents"):
        genlab.invoke(commands, ["decode", "digits-vae", str(tmp_path / "none.npz")], catch_exceptions=False)


@pytest.mark.slow
def test_the_script_that_makes_them_still_does(tmp_path: Path) -> None:
    script = Path(__file__).parent.parent / "scripts" / "ship-models"
    options = ["--quick", "--work", str(tmp_path / "work"), "--out", str(tmp_path)]
    subprocess.run([sys.executable, str(script), *options], check=True, capture_output=True)
    for name in NAMES:
        assert open_run(Run(tmp_path / name)).sample(2, seed=0).images.shape == (2, 1, 28, 28)
    assert open_reference(str(tmp_path / "digits-vae:fitted")).sample(2, seed=0).images.isfinite().all()
