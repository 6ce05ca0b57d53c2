"""What is asked of a trunk that was trained as an encoder and as a discriminator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import Tiny
from sklearn.linear_model import Ridge
from torch import nn

from genlab.data.dataset import Dataset
from genlab.lessons.work import ahead, probing, scores, training, twin
from genlab.lessons.work.probing import Probe, accuracy, activations, recovered
from genlab.nn.trunk import Trunk
from genlab.runs.store import Run
from genlab.training import checkpoint


def quiet(share: float) -> None:
    assert 0 <= share <= 1


@pytest.mark.parametrize(("count", "size"), [(40, 7), (20, 30)])
def test_a_probe_is_ridge_regression(count: int, size: int) -> None:
    rng = torch.Generator().manual_seed(0)
    features, targets = torch.randn(count, size, generator=rng), torch.randn(count, 3, generator=rng)
    probe, penalty = Probe(features), 0.1
    oracle = Ridge(alpha=penalty * count, fit_intercept=False).fit(probe.features.numpy(), targets.numpy())
    found = probe.weights(count, targets, penalty)
    np.testing.assert_allclose(found.numpy(), oracle.coef_.T, rtol=1e-3, atol=1e-5)


def test_a_probe_reads_what_is_linear_and_no_more() -> None:
    rng = torch.Generator().manual_seed(0)
    known, new = torch.randn(400, 5, generator=rng), torch.randn(200, 5, generator=rng)
    mix = torch.randn(5, 2, generator=rng)
    assert Probe(known).score(known @ mix + 3, new, new @ mix + 3, recovered) > 0.999
    noise = torch.randn(400, 2, generator=rng)
    assert Probe(known).score(noise, new, torch.randn(200, 2, generator=rng), recovered) < 0.05
    sides = torch.tensor([1.0, -1.0])
    assert Probe(known).score(known[:, :1] * sides, new, new[:, :1] * sides, accuracy) > 0.98


def test_layers_are_what_leaves_each_activation() -> None:
    trunk = Trunk((1, 28, 28), width=2, depth=1, hidden=6, norm="none")
    images = torch.randn(3, 1, 28, 28)
    seen = activations(trunk, images)
    assert [tuple(each.shape[1:]) for each in seen] == [(2, 14, 14), (4, 7, 7), (6,)]
    assert torch.equal(seen[-1], trunk(images))
    assert not any(layer._forward_hooks for layer in trunk.modules())


def test_calibration_of_a_coin_and_of_a_boaster() -> None:
    zeros = torch.zeros(100)
    assert scores.calibration(zeros, zeros)["error"] == pytest.approx(0, abs=1e-6)
    assert scores.calibration(10 + zeros, 10 + zeros)["error"] == pytest.approx(0.5, abs=1e-3)
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(2, 50_000, generator=rng) + torch.tensor([[-1.0], [1.0]])  # real, generated
    right, sure = scores.calibration(*(-2 * x)), scores.calibration(*(-8 * x))
    assert right["error"] < 0.01 < 0.05 < sure["error"]
    assert sum(each["images"] for each in right["bins"]) == 100_000


def test_scaling_logits_moves_the_loss_and_no_decision() -> None:
    real, fake = torch.tensor([2.0, -0.5, 1.0]), torch.tensor([-1.0, 0.3, -2.0])
    norms = fake, torch.ones(3)
    told = [scores.scaled(real, fake, norms, scale) for scale in (0.25, 1.0, 4.0)]
    assert len({each["accuracy"] for each in told}) == 1
    assert len({each["loss"] for each in told}) == 3
    assert told[1]["gradient"] == pytest.approx(float(torch.sigmoid(-fake).mean()))


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> Path:
    """The tiny images with their labels, training ones and then test ones."""
    path = tmp_path_factory.mktemp("labelled") / "blots.npz"
    pixels = np.concatenate([dataset.train.pixels, dataset.test.pixels])
    labels = [each.labels for each in (dataset.train, dataset.test) if each.labels is not None]
    np.savez(path, images=pixels.transpose(0, 2, 3, 1), labels=np.concatenate(labels))
    return path


SAME = tuple(f"network.{part}.{each}" for part in ("encoder", "discriminator")
             for each in ("kind=conv", "width=2", "depth=1", "hidden=8", "norm=none"))  # fmt: skip


def config(tiny: Tiny, family: str, data: Path, *settings: str) -> dict[str, Any]:
    return tiny(family, f"data.name={data}", *SAME, "training.ema=0", *settings).model_dump(mode="json")


@pytest.fixture
def runs_of(tiny: Tiny, labelled: Path, tmp_path: Path) -> list[Path]:
    """Of a VAE, a GAN and a GAN with the hinge loss, whose trunks began alike."""
    told, folders = config(tiny, "vae", labelled), [tmp_path / name for name in ("vae", "gan", "hinge")]
    training.train({"config": told}, folders[0], [], quiet)
    for folder, loss in zip(folders[1:], ("non-saturating", "hinge"), strict=True):
        given = {"config": config(tiny, "gan", labelled, f"objective.loss={loss}"), "encoder": told}
        found = twin.train(given, folder, [], quiet)
        assert found["difference"] == 0
        assert not found["diverged"]
    return folders


def test_what_is_asked_of_small_runs(runs_of: list[Path], tmp_path: Path) -> None:
    given = {"fit": 24, "held_out": 8}
    found = probing.probes(given, tmp_path, runs_of[:2], quiet)
    assert found == probing.probes(given, tmp_path, runs_of[:2], quiet)
    assert [len(found[trunk]) for trunk in ("encoder", "discriminator", "untrained")] == [4, 4, 3]
    pixels = [found[trunk][0] for trunk in ("encoder", "discriminator", "untrained")]
    assert pixels[0] == pixels[1] == pixels[2]
    assert found["encoder"][-1]["features"] == 3
    assert found["discriminator"][-1]["features"] == 1

    judged = scores.measured({"count": 8}, tmp_path, runs_of, quiet)
    for loss in ("non-saturating", "hinge"):
        assert all(quantiles == sorted(quantiles) for quantiles in judged[loss]["scores"].values())
    assert np.load(tmp_path / scores.MAPS).shape == (4, 5, 1, 8, 8)  # all test images there are
    assert np.load(tmp_path / scores.PICTURES).shape == (4, 5, 1, 8, 8)


def test_one_player_goes_on_and_the_other_stands_still(runs_of: list[Path], tmp_path: Path) -> None:
    given = {"marks": [0, 2, 5]}
    rows = ahead.discriminator(given, tmp_path, [runs_of[1]], quiet)["rows"]
    assert [row["steps"] for row in rows] == given["marks"]
    assert len({row["loss"] for row in rows}) == 3
    assert rows == ahead.discriminator(given, tmp_path, [runs_of[1]], quiet)["rows"]
    assert len({row["loss"] for row in ahead.encoder(given, tmp_path, [runs_of[0]], quiet)["rows"]}) == 3


@pytest.mark.parametrize(
    ("place", "part", "owner"), [(0, "encoder", "vae"), (1, "discriminator", "discriminator")]
)
def test_nothing_else_moves(runs_of: list[Path], place: int, part: str, owner: str) -> None:
    standing = ahead.Standing(runs_of[place])
    model = standing.state.model
    moving = model.get_submodule(part)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def loss(batch: Any, rng: torch.Generator) -> torch.Tensor:
        return sum(parameter.square().sum() for parameter in model.parameters())  # type: ignore[return-value]

    assert list(standing.alone(moving, owner, [0, 3], loss)) == [0, 3]
    moved = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved == {f"{part}.{name}" for name, _ in moving.named_parameters()}


def test_an_optimizer_of_a_part_goes_on_with_its_moments(runs_of: list[Path]) -> None:
    standing = ahead.Standing(runs_of[0])
    whole = standing.state.optimizers["vae"]
    model = standing.state.model
    own = ahead.of_part(whole, model.get_submodule("encoder"))
    assert all(int(step) == 7 for step in own.steps)
    assert own.means[0] is whole.means[0]


def test_an_interrupted_twin_goes_on_from_the_encoder_s_trunk(
    tiny: Tiny, labelled: Path, tmp_path: Path, runs_of: list[Path]
) -> None:
    """The step-0 checkpoint decides: where it was lost before training began, it is written again."""
    told = config(tiny, "vae", labelled)
    given = {"config": config(tiny, "gan", labelled), "encoder": told}
    found = twin.train(given, tmp_path / "again", [], quiet)
    assert found["curve"] == twin.train(given, tmp_path / "again", [], quiet)["curve"]
    ends = [
        checkpoint.list_checkpoints(Run(each / "run").checkpoints)[-1]
        for each in (tmp_path / "again", runs_of[1])
    ]
    weights = [checkpoint.read_tensors(path, "model/") for path in ends]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_gradients_at_images_are_each_its_own() -> None:
    layer = nn.Linear(4, 1, bias=False)
    values, gradient = scores.gradient_of(lambda x: layer(x.flatten(1)).squeeze(1), torch.randn(3, 1, 2, 2))
    assert values.shape == (3,)
    assert torch.allclose(gradient.flatten(1), layer.weight.expand(3, 4))


def test_the_minimax_gradient_is_lost_where_the_discriminator_is_sure() -> None:
    """σ(l)‖∇l‖ by the one loss and (1 − σ(l))‖∇l‖ by the other, at a generated image."""

    def sure(images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1).sum(dim=1) - 10

    fake = torch.zeros(5, 1, 2, 2)
    losses = ahead.GENERATOR_LOSSES.items()
    norms = {name: ahead.handed(sure, fake, loss)[1].mean() for name, loss in losses}
    at = torch.sigmoid(torch.tensor(-10.0))
    assert float(norms["minimax"]) == pytest.approx(float(2 * at), rel=1e-4)
    assert float(norms["non-saturating"]) == pytest.approx(float(2 * (1 - at)), rel=1e-4)
