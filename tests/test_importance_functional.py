from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from genlab.functional.importance import LogMeanExp, log_mean_exp, log_weights, normalized_weights


def rows(k: int, b: int = 5) -> Tensor:
    return 20 * torch.randn(k, b, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 90


def test_the_bound_is_the_logarithm_of_the_mean_weight() -> None:
    weights = torch.tensor([[0.5, 1e-3], [0.25, 3e-3], [0.75, 2e-3]])
    assert torch.allclose(log_mean_exp(weights.log()), torch.tensor([0.5, 2e-3]).log())
    assert torch.equal(log_mean_exp(weights[:1].log()), weights[0].log()), "one draw: the ELBO itself"


def test_weights_far_below_what_a_float_can_hold() -> None:
    assert log_mean_exp(torch.tensor([[-5000.0], [-5000.0]])).item() == -5000
    running = LogMeanExp()
    running.add(torch.tensor([[-5000.0]]))
    assert running.value.item() == -5000


def test_the_bound_lies_between_the_mean_and_the_largest() -> None:
    found = log_mean_exp(rows(50))
    assert (rows(50).mean(dim=0) <= found).all()
    assert (found <= rows(50).max(dim=0).values).all()


def test_normalized_weights_are_the_bound_s_gradient() -> None:
    log_w = rows(7).requires_grad_()
    (gradient,) = torch.autograd.grad(log_mean_exp(log_w).sum(), log_w)
    assert torch.allclose(gradient, normalized_weights(log_w))
    assert torch.allclose(normalized_weights(log_w).sum(dim=0), torch.ones(5, dtype=torch.float64))


@pytest.mark.parametrize("sizes", [[60], [1] * 60, [7, 50, 3], [50, 10]])
def test_the_running_bound_is_the_whole_one(sizes: list[int]) -> None:
    running = LogMeanExp()
    for part in rows(60).split(sizes):
        running.add(part)
    assert running.count == 60
    assert torch.allclose(running.value, log_mean_exp(rows(60)), rtol=1e-12)


def test_the_weight_of_a_draw() -> None:
    nll, log_prior, log_q = (torch.tensor([value]) for value in (3.0, -2.0, -0.5))
    assert log_weights(nll, log_prior, log_q).item() == -4.5
    assert log_weights(nll, log_prior, log_q, beta=0.5).item() == -3.75
    assert math.isclose(log_weights(nll, log_prior, log_q, beta=0.0).item(), -3.0)
