"""Why the reparameterization trick? Because of a variance, measured here beside its closed form.

The gradient of E‖z‖², z ~ N(μe₁, I_D), in μ is 2μ. Three estimators of it from one sample each:

    pathwise        z = μe₁ + ε, differentiate through z                   2(μ + ε₁), variance 4
    score function  ‖z‖² ∂/∂μ ln N(z; μe₁, I), z held fixed                ‖z‖² ε₁,   variance below
    detached        z held fixed, no score                                 0: nothing is learned

The variance of the score function's. Write ‖z‖² = (μ + ε₁)² + R, R ~ χ²(D − 1), independent of ε₁. With
E ε² = 1, E ε⁴ = 3, E ε⁶ = 15, E R = D − 1 and E R² = D² − 1:

    E[(‖z‖² ε₁)²] = E[ε₁²(μ + ε₁)⁴] + 2 E[ε₁²(μ + ε₁)²] E R + E R²
                  = (μ⁴ + 18μ² + 15) + 2 (μ² + 3)(D − 1) + (D² − 1)

and less the squared mean 4μ² it is μ⁴ + (2D + 12)μ² + D² + 6D + 8: it grows with the dimension and with the
distance from the origin, where the pathwise one stays at 4. Kingma & Welling (2014), section 2.3; Williams
(1992) for the score function (REINFORCE).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlab.errors import UserError
from genlab.randomness import generator

if TYPE_CHECKING:
    from torch import Tensor

POINTS = ((1, 0.0), (3, 0.0), (10, 0.0), (30, 0.0), (100, 0.0), (1, 1.0), (1, 2.0), (1, 5.0), (1, 10.0))
SAMPLES = 40_000


@dataclass(frozen=True)
class Point:
    """One estimator at one (D, μ): what `samples` single-sample gradients did, and what they must do.

    `standard_error` is that of the measured variance, from the samples' own fourth moment.
    """

    estimator: str
    dimensions: int
    mu: float
    samples: int
    mean: float
    exact_mean: float
    variance: float
    standard_error: float
    exact_variance: float


def pathwise_variance(dimensions: float, mu: float) -> float:
    return 4.0


def score_function_variance(dimensions: float, mu: float) -> float:
    """μ⁴ + (2D + 12)μ² + D² + 6D + 8."""
    return mu**4 + (2 * dimensions + 12) * mu**2 + dimensions**2 + 6 * dimensions + 8


def detached_variance(dimensions: float, mu: float) -> float:
    return 0.0


def pathwise(mu: Tensor, noise: Tensor) -> Tensor:
    """‖z‖² of z = μe₁ + ε: mu (N,), noise (N, D) -> (N,). Its gradient in μ goes through z."""
    return shifted(mu, noise).square().sum(dim=1)


def score_function(mu: Tensor, noise: Tensor) -> Tensor:
    """‖z‖² ln N(z; μe₁, I), z held fixed: the value means nothing, its gradient in μ is the estimator's."""
    z = shifted(mu, noise).detach()
    log_density = -0.5 * (z[:, 0] - mu).square()  # the terms without μ left out
    return z.square().sum(dim=1) * log_density


def detached(mu: Tensor, noise: Tensor) -> Tensor:
    """‖z‖², z held fixed: as `pathwise`, with the mistake that everybody makes once."""
    return shifted(mu, noise).detach().square().sum(dim=1)


def shifted(mu: Tensor, noise: Tensor) -> Tensor:
    """μe₁ + ε: (N, D)."""
    import torch

    return torch.cat([noise[:, :1] + mu.unsqueeze(1), noise[:, 1:]], dim=1)


Surrogate = Callable[["Tensor", "Tensor"], "Tensor"]
ClosedForm = Callable[[float, float], float]
ESTIMATORS: dict[str, tuple[Surrogate, ClosedForm, float]] = {  # with the mean, as a multiple of μ
    "pathwise": (pathwise, pathwise_variance, 2.0),
    "score function": (score_function, score_function_variance, 2.0),
    "detached": (detached, detached_variance, 0.0),
}


def measure_estimators(
    seed: int = 0, points: tuple[tuple[int, float], ...] = POINTS, samples: int = SAMPLES
) -> list[Point]:
    """Every estimator at every (D, μ) of `points`, on the same noise. About a second on one core.

    Raises UserError for fewer than 100 samples, which give no standard error to speak of.
    """
    import torch

    if samples < 100:
        raise UserError(f"{samples} samples give no variance to speak of; ask for at least 100")
    measured = []
    for dimensions, mu in points:
        rng = generator(seed, f"estimators/{dimensions}/{mu}")
        noise = torch.randn(samples, dimensions, generator=rng)
        measured += [measure_one(name, mu, noise) for name in ESTIMATORS]
    return measured


def measure_one(name: str, mu: float, noise: Tensor) -> Point:
    """One estimator's gradients, one for each row of `noise` (N, D), and their moments."""
    import torch

    surrogate, exact_variance, slope = ESTIMATORS[name]
    samples, dimensions = noise.shape
    at = torch.full((samples,), mu)
    # the gradient of a sum of independent terms holds each term's own; torch.func gives zeros for no path
    gradients = torch.func.grad(lambda m: surrogate(m, noise).sum())(at).double()
    centred = gradients - gradients.mean()
    variance = centred.square().sum() / (samples - 1)
    fourth = centred.pow(4).mean()
    spread = (fourth - variance.square() * (samples - 3) / (samples - 1)) / samples  # Var of the variance
    return Point(
        estimator=name,
        dimensions=dimensions,
        mu=mu,
        samples=samples,
        mean=gradients.mean().item(),
        exact_mean=slope * mu,
        variance=variance.item(),
        standard_error=spread.clamp_min(0).sqrt().item(),
        exact_variance=exact_variance(dimensions, mu),
    )
