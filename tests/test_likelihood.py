from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch
from scipy.stats import logistic
from torch import Tensor
from torch.distributions import ContinuousBernoulli, Normal

from genlab.functional import likelihood

# Either side of the border between the series and the closed form, and far from both.
LOGITS = [0.0, 1e-9, 1e-4, 0.01, 0.09, 0.0999, 0.1, 0.1001, 0.12, 0.5, 2.0, 10.0, 40.0]
LOGITS += [-t for t in LOGITS[1:]]


def precisely(logit: float) -> tuple[float, float, float, float]:
    """ln C(λ), its slope, E[x] and its slope at t = logit λ, to 60 digits: t coth(t/2), 1/t − 1/sinh t,
    ½ + ½ coth(t/2) − 1/t, 1/t² − ¼ / sinh²(t/2)."""
    if logit == 0:
        return math.log(2), 0.0, 0.5, 1 / 12
    with localcontext() as context:
        context.prec = 60
        t = Decimal(logit)
        coth = (t.exp() + 1) / (t.exp() - 1)
        sinh = (t.exp() - (-t).exp()) / 2
        half = ((t / 2).exp() - (-t / 2).exp()) / 2
        values = (t * coth).ln(), 1 / t - 1 / sinh, (1 + coth) / 2 - 1 / t, 1 / t**2 - 1 / (4 * half**2)
    return tuple(map(float, values))  # type: ignore[return-value]


def slope(values: Tensor, logits: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad(values.sum(), logits)
    return gradient


@pytest.mark.parametrize(("dtype", "value", "gradient"), [("float64", 1e-12, 1e-10), ("float32", 3e-7, 3e-6)])
def test_the_log_normalizer_to_many_digits(dtype: str, value: float, gradient: float) -> None:
    logits = torch.tensor(LOGITS, dtype=getattr(torch, dtype), requires_grad=True)
    exact = np.array([precisely(t) for t in logits.tolist()])
    found = likelihood.continuous_bernoulli_log_normalizer(logits)
    assert np.allclose(found.detach().numpy(), exact[:, 0], rtol=value, atol=value)
    assert np.allclose(slope(found, logits).numpy(), exact[:, 1], rtol=0, atol=gradient)


@pytest.mark.parametrize(("dtype", "value", "gradient"), [("float64", 1e-11, 1e-9), ("float32", 2e-6, 1e-4)])
def test_the_mean_to_many_digits(dtype: str, value: float, gradient: float) -> None:
    logits = torch.tensor(LOGITS, dtype=getattr(torch, dtype), requires_grad=True)
    exact = np.array([precisely(t) for t in logits.tolist()])
    found = likelihood.continuous_bernoulli_mean(logits)
    assert np.allclose(found.detach().numpy(), exact[:, 2], rtol=0, atol=value)
    assert np.allclose(slope(found, logits).numpy(), exact[:, 3], rtol=0, atol=gradient)


def test_the_normalizer_at_one_half_is_2() -> None:
    assert likelihood.continuous_bernoulli_log_normalizer(torch.zeros(1)).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("logit", [-8.0, -1.0, -0.05, 0.0, 0.05, 3.0])
def test_the_continuous_bernoulli_integrates_to_1_and_has_its_mean(logit: float) -> None:
    nodes, weights = np.polynomial.legendre.leggauss(60)
    x = torch.from_numpy((nodes + 1) / 2).reshape(-1, 1)
    density = torch.exp(-likelihood.continuous_bernoulli_nll(torch.full_like(x, logit), x)).numpy()
    assert np.sum(weights / 2 * density) == pytest.approx(1, rel=1e-12)
    mean = likelihood.continuous_bernoulli_mean(torch.tensor(logit, dtype=torch.float64)).item()
    assert np.sum(weights / 2 * density * x[:, 0].numpy()) == pytest.approx(mean, rel=1e-10)


def images(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_the_continuous_bernoulli_is_torch_s() -> None:
    logits, pixels = 6 * images(3, 1, 4, 5) - 3, images(3, 1, 4, 5).flip(0)
    theirs = -ContinuousBernoulli(logits=logits).log_prob(pixels).sum(dim=(1, 2, 3))
    assert torch.allclose(likelihood.continuous_bernoulli_nll(logits, pixels), theirs, rtol=1e-6)


def test_the_bernoulli_is_the_cross_entropy() -> None:
    logits, pixels = 6 * images(3, 1, 4, 5) - 3, images(3, 1, 4, 5).flip(0)
    p = torch.sigmoid(logits)
    theirs = -(pixels * p.log() + (1 - pixels) * (1 - p).log()).sum(dim=(1, 2, 3))
    assert torch.allclose(likelihood.bernoulli_nll(logits, pixels), theirs)


def test_the_gaussian_is_torch_s() -> None:
    mean, pixels, log_var = images(3, 1, 4, 5), images(3, 1, 4, 5).flip(0), torch.tensor(-1.3).double()
    theirs = -Normal(mean, torch.exp(log_var / 2)).log_prob(pixels).sum(dim=(1, 2, 3))
    assert torch.allclose(likelihood.gaussian_nll(mean, log_var, pixels), theirs)


def test_two_measures_differ_by_d_ln_2() -> None:
    """The density of an image on [0, 1] is 2^d times that of the same image on [−1, 1]."""
    mean, pixels = images(3, 1, 4, 5), images(3, 1, 4, 5).flip(0)
    wide = likelihood.gaussian_nll(2 * mean - 1, torch.tensor(2 * math.log(0.4)), 2 * pixels - 1)
    narrow = likelihood.gaussian_nll(mean, torch.tensor(2 * math.log(0.2)), pixels)
    assert torch.allclose(wide - narrow, torch.full((3,), 20 * math.log(2), dtype=torch.float64))


def test_sure_logits_stay_finite() -> None:
    logits, pixels = torch.tensor([[-1e4, 1e4]]), torch.tensor([[0.0, 1.0]])
    assert likelihood.bernoulli_nll(logits, pixels).item() == 0
    logits.requires_grad_()
    loss = likelihood.continuous_bernoulli_nll(logits, pixels)
    assert loss.item() == pytest.approx(-2 * math.log(1e4), rel=1e-6)
    assert torch.isfinite(slope(loss, logits)).all()


def levels(n: int = 256) -> Tensor:
    return torch.linspace(-1, 1, n, dtype=torch.float64)


@pytest.mark.parametrize("log_scale", [-9.0, -4.0, -1.5, 1.0])
@pytest.mark.parametrize("mean", [-1.0, -0.997, 0.0, 0.3, 1.0])
def test_the_discretised_logistic_is_a_probability_over_the_levels(mean: float, log_scale: float) -> None:
    pixels = levels().view(256, 1, 1, 1)
    scale = torch.tensor(log_scale, dtype=torch.float64)
    nll = likelihood.discretised_logistic_nll(torch.full_like(pixels, mean), scale, pixels)
    assert torch.exp(-nll).sum().item() == pytest.approx(1, abs=1e-12)


def test_the_discretised_logistic_is_scipy_s_distribution_function() -> None:
    mean, log_scale, pixels = 0.1, -2.0, levels()
    ends = logistic(mean, math.exp(log_scale)).cdf(levels().numpy()[:-1] + 1 / 255)
    expected = np.diff(np.concatenate([[0.0], ends, [1.0]]))
    ours = likelihood.discretised_logistic_nll(
        torch.full((256, 1), mean), torch.tensor(log_scale), pixels.view(256, 1)
    )
    assert np.allclose(np.exp(-ours.numpy()), expected, rtol=1e-6)


def test_the_discretised_logistic_stays_finite_where_it_is_almost_sure_and_wrong() -> None:
    mean = torch.tensor([[1.0], [-1.0], [0.0]], requires_grad=True)
    log_scale = torch.tensor(-7.0, requires_grad=True)
    nll = likelihood.discretised_logistic_nll(mean, log_scale, torch.tensor([[-1.0], [1.0], [-1.0]]))
    assert nll.isfinite().all()
    assert (nll > 500).all()
    nll.sum().backward()
    assert mean.grad is not None
    assert log_scale.grad is not None
    assert mean.grad.isfinite().all()
    assert log_scale.grad.isfinite()
