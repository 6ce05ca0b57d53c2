"""`--recipe auto`: what is chosen for which images, device and time, and that it trains."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from genlab.cli import train  # noqa: F401  (adds its command to `app`)
from genlab.cli.root import app
from genlab.experiment.schema import override
from genlab.ranks import Place
from genlab.recipes import recipe
from genlab.recipes.auto import FEW, LONG, chosen
from genlab.recipes.automatic import automatic

FAMILIES = ("vae", "gan", "vaegan")
GREY, COLOUR, LARGE = (1, 28, 28), (3, 32, 32), (3, 64, 64)


def settings(*arguments: object, **options: bool) -> dict[str, str]:
    return {choice.key: choice.value for choice in chosen(*arguments, **options)}  # type: ignore[arg-type]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("shape", [GREY, COLOUR, LARGE])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("seconds", [20.0, LONG])
def test_every_choice_is_a_config_and_has_its_reason(
    family: str, shape: tuple[int, int, int], device: str, seconds: float
) -> None:
    choices = chosen(family, shape, device, seconds, bf16=True, compiler=True)
    override(recipe(family), [choice.assignment for choice in choices])
    assert all(choice.why for choice in choices)
    assert len({choice.key for choice in choices}) == len(choices)


def test_size_device_and_budget_each_matter() -> None:
    small = settings("gan", GREY, "cpu", 60.0)
    assert settings("gan", LARGE, "cpu", 60.0) != small
    assert settings("gan", COLOUR, "cpu", 60.0) != small
    assert settings("gan", GREY, "cuda", 60.0) != small
    assert settings("gan", GREY, "cpu", LONG) != small


@pytest.mark.parametrize("source", ["catalogue", "file"])
@pytest.mark.parametrize(("images", "few"), [(FEW, True), (FEW + 1, False)])
def test_few_images_are_augmented_in_a_long_training(
    source: str, images: int, few: bool, tmp_path: Path
) -> None:
    """Also where a limit makes them few."""
    place = "data.name=mnist"
    if source == "file":
        np.savez(tmp_path / "some.npz", images=np.zeros((FEW * 2, 8, 8), np.uint8))
        place = f"data.name={tmp_path / 'some.npz'}"
    asked = [place, f"data.limit={images}", f"training.seconds={LONG}", "training.device=cpu"]
    assert (automatic("gan", asked, None)[0].objective.augment != "none") == few  # type: ignore[union-attr]
    assert automatic("gan", [*asked, "objective.augment=none"], None)[0].objective.augment == "none"  # type: ignore[union-attr]
    short, _ = automatic("gan", [place, "data.limit=9", "training.seconds=60"], None)
    assert short.objective.augment == "none"  # type: ignore[union-attr]
    assert not any(choice.key == "objective.augment" for choice in automatic("vae", asked, None)[1])


def test_a_gpu_without_bf16_or_a_compiler_is_not_asked_for_them() -> None:
    with_all = settings("gan", GREY, "cuda", 60.0, bf16=True, compiler=True)
    without = settings("gan", GREY, "cuda", 60.0)
    assert with_all["training.precision"] == "bf16"
    assert with_all["training.compile"] == "true"
    assert not without.keys() & {"training.precision", "training.compile"}


def test_an_inherited_decoder_is_left_as_it_is() -> None:
    inherited = settings("gan", GREY, "cpu", 60.0, inherits=True)
    assert not any(key.startswith(("network.decoder", "network.latent")) for key in inherited)


def test_it_trains_and_says_what_it_chose_and_expects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLAB_RUNS", str(tmp_path))
    asked = ["train", "gan", "--recipe", "auto", "--seconds", "0.2", "--set", "network.latent_dim=5"]
    result = CliRunner().invoke(app, [*asked, "--set", "data.limit=200"])
    assert result.exit_code == 0, result.output
    assert "auto chose, for a gan" in result.output
    assert "network.decoder.width=16" in result.output
    assert "expected:" in result.output
    (folder,) = tmp_path.glob("*gan-mnist*")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    assert config["recipe"] == "auto"
    assert config["network"]["latent_dim"] == 5


def test_where_all_is_set_nothing_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLAB_RUNS", str(tmp_path))
    keys = [choice.assignment for choice in chosen("vae", GREY, "cpu", 60.0)]
    given = [part for key in keys for part in ("--set", key)]
    asked = ["train", "vae", "--recipe", "auto", "--steps", "2", "--set", "data.limit=300", *given]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    assert "auto chose, for a vae: nothing" in result.output


def test_several_processes_are_not_asked_to_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlab.recipes.automatic.fastest", lambda: "cuda")
    monkeypatch.setattr("genlab.experiment.acceleration.no_compiler", lambda device: "")
    monkeypatch.setattr("genlab.experiment.acceleration.no_bf16", lambda device: "")
    assert automatic("gan", [], None)[0].training.compile
    monkeypatch.setattr("genlab.ranks.place", lambda: Place(world=2, rank=0, local_world=2, local_rank=0))
    assert not automatic("gan", [], None)[0].training.compile


def test_it_asks_what_to_train() -> None:
    result = CliRunner().invoke(app, ["train", "--recipe", "auto"])
    assert result.exit_code != 0
    assert "genlab train vae, gan or vaegan --recipe auto" in str(result.exception or result.output)
