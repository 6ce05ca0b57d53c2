"""What is descended is what is written: every gradient against finite differences, in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import pytest
import torch
from torch import Tensor

from genlab.data.batches import Batch
from genlab.data.dataset import Dataset
from genlab.experiment.build import build_model, build_objective
from genlab.experiment.runner import make_batches
from genlab.experiment.schema import Experiment
from genlab.functional import adversarial, gaussian, likelihood
from genlab.functional.adversarial import LOSSES
from genlab.networks.observation import (
    Bernoulli,
    ContinuousBernoulli,
    DiscretisedLogistic,
    Gaussian,
    Observation,
)
from genlab.objectives.base import Objective, Update
from genlab.objectives.elbo import Elbo
from genlab.objectives.importance import ImportanceWeighted
from genlab.randomness import generator
from genlab.training.state import Model


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def check(function: Callable[..., Tensor], *inputs: Tensor) -> None:
    torch.autograd.gradcheck(function, [x.clone().requires_grad_() for x in inputs])


@pytest.mark.parametrize("name", LOSSES)
def test_adversarial_losses(name: str) -> None:
    real, fake = random(32, seed=1), random(32, seed=2)
    assert min((logits.abs() - 1).abs().min() for logits in (real, fake)) > 1e-3, "away from the hinge"
    check(LOSSES[name].discriminator, real, fake)
    if LOSSES[name].relativistic:
        check(LOSSES[name].generator, real, fake)
    else:
        check(lambda logits: LOSSES[name].generator(real, logits), fake)


def test_minimax() -> None:
    check(lambda logits: adversarial.minimax_generator_loss(logits, logits), random(32))


PENALTIES: dict[str, Callable[[adversarial.Critic], Tensor]] = {
    "zero-centred": lambda critic: adversarial.zero_centred_penalty(critic, random(5, 3)),
    "norm": lambda critic: adversarial.gradient_norm(critic, random(5, 3)),
    "wasserstein": lambda critic: adversarial.gradient_penalty(
        critic, random(5, 3), random(5, 3, seed=1), torch.linspace(0, 1, 5)
    ),
}


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_in_the_critic_s_weights(name: str) -> None:
    """A gradient of a gradient."""

    def penalty(first: Tensor, second: Tensor) -> Tensor:
        return PENALTIES[name](lambda x: torch.tanh(x @ first) @ second)

    check(penalty, random(3, 4, seed=3), random(4, seed=4))


def test_the_norm_in_the_penalty_is_the_gradient_s() -> None:
    """At D(x) = ½ xᵀAx the gradient is Ax, written down."""
    matrix = random(3, 3)
    symmetric, x = matrix + matrix.T, random(5, 3, seed=1)

    def critic(points: Tensor) -> Tensor:
        return 0.5 * torch.einsum("bi,ij,bj->b", points, symmetric, points)

    expected = (x @ symmetric).norm(dim=1)
    assert torch.allclose(adversarial.gradient_norm(critic, x), expected)
    assert torch.allclose(adversarial.zero_centred_penalty(critic, x), 0.5 * expected**2)
    other, mix = random(5, 3, seed=2), torch.rand(5)
    between = mix[:, None] * x + (1 - mix[:, None]) * other
    expected = ((between @ symmetric).norm(dim=1) - 1) ** 2
    assert torch.allclose(adversarial.gradient_penalty(critic, x, other, mix), expected)


OBSERVATIONS: dict[str, Callable[[], Observation]] = {
    "bernoulli": Bernoulli,
    "continuous-bernoulli": ContinuousBernoulli,
    "gaussian": Gaussian,
    "discretised-logistic": DiscretisedLogistic,
    "gaussian-linear": lambda: Gaussian(linear=True),
}


@pytest.mark.parametrize("name", OBSERVATIONS)
def test_negative_log_likelihoods_and_images(name: str) -> None:
    observation = OBSERVATIONS[name]()
    raw = torch.cat([3 * random(2, 1, 3, 3), torch.linspace(-0.3, 0.3, 18).view(2, 1, 3, 3)], dim=1)
    images = torch.tanh(random(2, 2, 3, 3, seed=1))
    check(lambda x: observation.nll(x, images), raw)
    check(observation.image, raw)


def test_the_learned_variance() -> None:
    mean, pixels = random(3, 4), random(3, 4, seed=1)
    check(lambda log_var: likelihood.gaussian_nll(mean, log_var, pixels), torch.tensor(-0.7))
    check(lambda log_scale: likelihood.discretised_logistic_nll(mean, log_scale, pixels), torch.tensor(-0.7))


def test_kl_and_reparameterization() -> None:
    mean, log_var, noise = random(4, 3), random(4, 3, seed=1), random(4, 3, seed=2)
    check(lambda m, s: gaussian.kl_divergence(gaussian.DiagonalGaussian(m, s)), mean, log_var)
    check(lambda m, s: gaussian.reparameterize(gaussian.DiagonalGaussian(m, s), noise), mean, log_var)
    check(lambda z, m, s: gaussian.log_density(z, gaussian.DiagonalGaussian(m, s)), noise, mean, log_var)


class Loss:
    """The loss of one update of an objective as a function of its part's parameters, noise and data fixed."""

    def __init__(self, objective: Objective, model: Model, batch: Batch, index: int) -> None:
        self.objective, self.model, self.batch, self.index = objective, model, batch, index

    def update(self) -> Update:
        updates = self.objective.updates(self.model, self.batch, generator(0, "noise"))
        return next(islice(updates, self.index, None))

    @torch.no_grad()
    def nudged(self, parameters: Sequence[Tensor], direction: Sequence[Tensor], by: float) -> float:
        for parameter, along in zip(parameters, direction, strict=True):
            parameter.add_(along, alpha=by)
        with torch.enable_grad():
            value = self.update().loss.item()
        for parameter, along in zip(parameters, direction, strict=True):
            parameter.sub_(along, alpha=by)
        return value


def test_every_update_descends_its_own_loss(experiment: Experiment, dataset: Dataset) -> None:
    """Along a random direction of the whole part: that reaches every layer, norm and penalty at once.

    DReG leaves the encoder's gradient right in expectation only; the other networks descend the bound.
    """
    model = build_model(experiment, dataset.shape).double().train()
    randomize(model)
    objective = build_objective(experiment.objective)
    # the encoder's own gradient is an estimate by other means, which has laws of its own
    other = isinstance(objective, ImportanceWeighted | Elbo) and objective.gradient != "reparameterized"
    whole = replace(objective, gradient="reparameterized") if other else objective  # type: ignore[type-var]
    batch = make_batches(experiment, dataset, objective)(0)
    batch = Batch(batch.images.double(), batch.labels, step=1)
    count = sum(1 for _ in objective.updates(model, batch, generator(0, "noise")))
    for index in range(count):
        loss = Loss(whole, model, batch, index)
        update = Loss(objective, model, batch, index).update()
        modules = [m for m in model.parts()[update.part] if not (other and m is model.encoder)]
        parameters = [p for module in modules for p in module.parameters()]
        direction = [random(*p.shape, seed=k) for k, p in enumerate(parameters)]
        gradients = torch.autograd.grad(update.loss, parameters)
        slope = sum((g * d).sum() for g, d in zip(gradients, direction, strict=True))
        step = 1e-6
        numeric = (loss.nudged(parameters, direction, step) - loss.nudged(parameters, direction, -step)) / (
            2 * step
        )
        assert float(slope) == pytest.approx(numeric, rel=1e-4, abs=1e-6), update.part


@torch.no_grad()
def randomize(model: Model) -> None:
    """A little noise on every parameter, so that none stands at a special point (a zero, a kink)."""
    for index, parameter in enumerate(model.parameters()):
        parameter.add_(random(*parameter.shape, seed=index), alpha=0.05)
