"""Discriminators of two Gaussians on the line, real p = N(−1, 1) and generated q = N(1, 1), whose optimum is
known: D* = p/(p + q), the logit of which is ln p − ln q = −2x. Goodfellow et al. (2014), proposition 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

import torch
from torch import Tensor, nn

from genlab.experiment.process import use_threads
from genlab.functional.adversarial import LOSSES, gradient_penalty, logistic_discriminator_loss
from genlab.lessons.work import Said
from genlab.randomness import derive_seed, generator

REAL, FAKE = -1.0, 1.0  # the means
GRID = torch.linspace(-10, 10, 4001, dtype=torch.float64)  # beyond it lies less than 1e-18 of either
DRAWN = torch.linspace(-4, 4, 65)
BATCH = 128  # of each kind
RATE = 1e-3
CRITICS = ("non-saturating", "hinge", "wasserstein")
# Of a Wasserstein critic's gradient penalty. Gulrajani et al. (2017) weigh it by 10; on a line that is a wall
# between slopes 1 and −1 which no critic that begins with the wrong one climbs, for it would gain 4.
PENALTY = 0.5
MOST = NormalDist().cdf((FAKE - REAL) / 2)  # the accuracy of p/(p + q), which none exceeds


def optimal_logit(x: Tensor) -> Tensor:
    """ln p(x) − ln q(x)."""
    return -2 * x


def density(x: Tensor, mean: float) -> Tensor:
    return torch.exp(-0.5 * (x - mean).square()) / math.sqrt(2 * math.pi)


def expected_loss(logits: Tensor) -> float:
    """E_p[−ln D] + E_q[−ln(1 − D)] of the logits on `GRID`, by the trapezoid rule: nats. Its least value is
    2 ln 2 − 2 JS(p, q)."""
    real = logistic_discriminator_loss(logits, torch.full_like(logits, -math.inf))
    fake = logistic_discriminator_loss(torch.full_like(logits, math.inf), logits)
    return float(torch.trapezoid(density(GRID, REAL) * real + density(GRID, FAKE) * fake, GRID))


def distance(logits: Tensor) -> float:
    """The root mean square of logits − logit D* on `GRID`, x drawn from (p + q)/2."""
    mixture = (density(GRID, REAL) + density(GRID, FAKE)) / 2
    return math.sqrt(float(torch.trapezoid(mixture * (logits - optimal_logit(GRID)).square(), GRID)))


def accuracy(logits: Tensor) -> float:
    """The share of draws on whose side of 0 the logits on `GRID` lie, both kinds being equally many."""
    right = torch.where(logits > 0, density(GRID, REAL), density(GRID, FAKE)) / 2
    return float(torch.trapezoid(right, GRID))


def gaussians(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """A small network trained to tell the two apart, on fresh draws at every step, once for each loss.

    given: seed, marks (rising numbers of draws seen, of both kinds together). Found: the "least" logistic
    loss and the "most" accuracy that there are; for each loss, at each mark, "excess" of the expected
    logistic loss over its least value, nats, "distance" of the logits from the optimal ones, and "accuracy";
    and "curve", the last logits at the points `x`.
    """
    use_threads(1)
    least = expected_loss(optimal_logit(GRID))
    found: dict[str, Any] = {"least": least, "most": MOST, "x": DRAWN.tolist()}
    for number, loss in enumerate(CRITICS):
        critic = fresh(given["seed"])
        rows = []
        for samples in trained(critic, loss, given["seed"], given["marks"]):
            logits = logits_on(critic, GRID)
            rows.append(
                {
                    "samples": samples, "excess": expected_loss(logits) - least,
                    "distance": distance(logits), "accuracy": accuracy(logits),
                }
            )  # fmt: skip
            said((number + len(rows) / len(given["marks"])) / len(CRITICS))
        found[loss] = {"rows": rows, "curve": logits_on(critic, DRAWN).tolist()}
    return found


def fresh(seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "lessons/optimum/weights"))
        return nn.Sequential(
            nn.Linear(1, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)
        )


@torch.no_grad()
def logits_on(critic: nn.Module, x: Tensor) -> Tensor:
    logits: Tensor = critic(x.float().unsqueeze(1)).squeeze(1).double()
    return logits


def trained(critic: nn.Module, loss: str, seed: int, marks: Sequence[int]) -> Iterator[int]:
    """Train `critic`, and yield the number of draws it has seen each time that reaches one of `marks`. A
    Wasserstein critic, whose loss is bounded by its steepness alone, has a penalty on that."""
    descended: Callable[[Tensor, Tensor], Tensor] = LOSSES[loss].discriminator
    optimizer = torch.optim.Adam(critic.parameters(), RATE)
    left, step = list(marks), 0
    while left:
        rng = generator(seed, "lessons/optimum/draws", step)
        real, fake = torch.randn(2, BATCH, 1, generator=rng) + torch.tensor([REAL, FAKE]).view(2, 1, 1)
        optimizer.zero_grad()
        lost = descended(critic(real).squeeze(1), critic(fake).squeeze(1)).mean()
        if loss == "wasserstein":
            mix = torch.rand(BATCH, generator=rng)
            lost = lost + PENALTY * gradient_penalty(lambda x: critic(x).squeeze(1), real, fake, mix).mean()
        lost.backward()
        optimizer.step()
        step += 1
        if step * 2 * BATCH >= left[0]:
            yield step * 2 * BATCH
            left.pop(0)
