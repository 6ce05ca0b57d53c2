"""The linear VAE's optimum in closed form, and linear VAEs held against it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Tiny
from torch import Tensor, nn

from genlab.data.batches import to_float
from genlab.data.dataset import Images
from genlab.lessons.rate_distortion import linear_optimum
from genlab.lessons.work import linear
from genlab.lessons.work import training as ordinary
from genlab.networks.decoder import Decoder
from genlab.networks.encoder import Encoder
from genlab.networks.model import VAE
from genlab.networks.observation import Gaussian
from genlab.networks.prior import StandardNormal
from genlab.nn.trunk import Trunk

VALUES = [5.0, 3.0, 2.0, 0.5, 0.1]


@pytest.mark.parametrize(("beta", "active"), [(0.01, 3), (1.0, 3), (2.5, 2), (4.0, 1), (5.0, 0), (9.0, 0)])
def test_a_unit_is_used_while_its_eigenvalue_is_above_beta_sigma_squared(beta: float, active: int) -> None:
    assert linear_optimum(VALUES, sum(VALUES), 3, beta).active == active
    assert linear_optimum(VALUES, sum(VALUES), 3, 4 * beta, sigma=0.5).active == active


def test_the_curve_falls_by_beta_for_every_nat() -> None:
    """dD/dR = −β."""
    for beta in (0.05, 0.7, 2.5, 4.2):
        low, high = (linear_optimum(VALUES, sum(VALUES), 4, beta * (1 + h), 0.7) for h in (-1e-5, 1e-5))
        slope = (high.distortion - low.distortion) / (high.rate - low.rate)
        assert slope == pytest.approx(-beta, rel=1e-3)


def test_nothing_said_leaves_all_of_the_variance() -> None:
    nothing = linear_optimum(VALUES, sum(VALUES), 4, 100.0)
    assert (nothing.active, nothing.rate, nothing.distortion) == (0, 0, sum(VALUES) / 2)


def images() -> Images:
    rng = np.random.default_rng(0)
    spread = np.array([60, 40, 25, 10, 3, 1])
    frame, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    pixels = np.clip(np.round(128 + rng.normal(size=(800, 6)) * spread @ frame), 0, 255)
    return Images(pixels.astype(np.uint8).reshape(800, 1, 2, 3))


def test_eigenvalues_are_those_of_the_covariance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "PIECE", 300)
    flat = to_float(torch.from_numpy(images().pixels)).flatten(1).double()
    expected = torch.linalg.eigvalsh(torch.cov(flat.T, correction=0)).flip(0)
    torch.testing.assert_close(linear.eigenvalues(images()), expected)


def best(beta: float, sigma: float, units: int) -> VAE:
    """The VAE with the optimal weights: W = U(Λ − sI)^½ and the posterior of its model."""
    flat = to_float(torch.from_numpy(images().pixels)).flatten(1).double()
    values, vectors = torch.linalg.eigh(torch.cov(flat.T, correction=0))
    values, vectors, threshold = values.flip(0)[:units], vectors.flip(1)[:, :units], beta * sigma**2
    spread = (values - threshold).clamp_min(0).sqrt()
    encoder, decoder = (
        Encoder(Trunk((1, 2, 3), kind="mlp"), units),
        Decoder(units, (1, 2, 3), kind="mlp", depth=0),
    )
    log_var = torch.where(spread > 0, (threshold / values).log(), torch.zeros(()).double())
    set_to(decoder.layers[0], vectors * spread, flat.mean(dim=0))
    slope = vectors.T * (spread / values).unsqueeze(1)
    set_to(encoder.head, torch.cat([slope, 0 * slope]), torch.cat([-slope @ flat.mean(dim=0), log_var]))
    return VAE(encoder, decoder, StandardNormal(units), Gaussian(sigma, linear=True)).eval()


@torch.no_grad()
def set_to(layer: nn.Module, weight: Tensor, bias: Tensor) -> None:
    assert isinstance(layer, nn.Linear)
    layer.weight.copy_(weight)
    layer.bias.copy_(bias)


@pytest.mark.parametrize("beta", [0.2, 1.0, 4.0])
def test_the_optimal_weights_have_the_terms_of_the_closed_form(beta: float) -> None:
    values = linear.eigenvalues(images())
    optimum = linear_optimum(values.tolist(), float(values.sum()), 4, beta, 0.2)
    assert beta == 0.2 or optimum.active < 4
    with torch.inference_mode():
        found = linear.terms(best(beta, 0.2, 4), images())
    assert found["active"] == optimum.active
    assert found["rate"] == pytest.approx(optimum.rate, abs=1e-4)
    assert found["distortion"] == pytest.approx(optimum.distortion, rel=1e-4)


def test_runs_are_measured_beside_the_eigenvalues(tiny: Tiny, blots: Path, tmp_path: Path) -> None:
    plain = ("network.decoder.kind=mlp", "network.decoder.depth=0", "network.encoder.depth=0",
             "observation.kind=gaussian", "observation.linear=true", f"data.name={blots}")  # fmt: skip
    needs = []
    for beta in (1, 5):
        config = tiny("vae", *plain, f"objective.beta={beta}").model_dump(mode="json")
        needs.append(tmp_path / str(beta))
        needs[-1].mkdir()
        ordinary.train({"config": config}, needs[-1], [], lambda share: None)
    shares: list[float] = []
    found = linear.measured({}, tmp_path, needs, shares.append)
    assert shares == [0.5, 1]
    assert len(found["leading"]) == 64
    assert found["total"] == pytest.approx(sum(found["leading"]))
    assert found["leading"] == sorted(found["leading"], reverse=True)
    for row in found["runs"]:
        assert 0 <= row["active"] <= 3
        assert all(math.isfinite(row[name]) and row[name] >= 0 for name in ("rate", "distortion"))
