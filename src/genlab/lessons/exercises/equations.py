"""The five exercises that are equations: what each is tried on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genlab.lessons.exercises import right
from genlab.lessons.exercises.laws import Case, Problem
from genlab.lessons.exercises.mistakes import DISCRIMINATOR, DRAWS, ELBO, GENERATOR, KL

SIZES = ((5, 3), (4, 2))  # images, dimensions of z
STEEP = 200.0  # times a logit of about 1: there ln(sigmoid) is not finite in float32, and softplus is


def random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def codes() -> Sequence[Case]:
    found = []
    for number, (batch, size) in enumerate(SIZES):
        mean = random(batch, size, seed=number).requires_grad_()
        log_var = (random(batch, size, seed=10 + number) - 0.5).requires_grad_()
        found.append(Case((mean, log_var), {"mean": mean, "log_var": log_var}))
    return found


def draws() -> Sequence[Case]:
    return [Case((*case.given, random(*case.given[0].shape, seed=20)), case.learns) for case in codes()]


def images() -> Sequence[Case]:
    found = []
    for case in codes():
        batch = len(case.given[0])
        raw = (2 * random(batch, 1, 3, 2, seed=30)).requires_grad_()
        pixels = torch.sigmoid(random(batch, 1, 3, 2, seed=31))
        found.append(Case((raw, pixels, *case.given), {"raw": raw, **case.learns}))
    return found


class Linear(nn.Module):
    """Images (B, 1, 2, 2) -> logits (B,), as steep as is wished."""

    def __init__(self, steepness: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(steepness * torch.tensor([0.5, -1.0, 0.25, 1.5]))

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.flatten(1) @ self.weight


def game() -> Sequence[Case]:
    """Discriminators that are in doubt, and one that is sure."""
    found = []
    for number, steepness in enumerate((1.0, 0.3, STEEP)):
        critic, count = Linear(steepness), 4 + number
        real = random(count, 1, 2, 2, seed=40 + number)
        fake = random(count, 1, 2, 2, seed=50 + number).requires_grad_()
        learns = {"the discriminator's weights": critic.weight, "the generated images": fake}
        found.append(Case((critic, real, fake), learns))
    return found


def against() -> Sequence[Case]:
    found = []
    for case in game():
        critic, _, fake = case.given
        found.append(Case((critic, fake), {"the generated images": fake}))
    return found


AT_HUNDREDS = "right too where the discriminator is sure, at logits of hundreds"
ONE_EACH = "one number for each image, (B,)"
SURE = (
    "it is right where the discriminator is in doubt, and not where it is sure, at logits of hundreds: there "
    "sigmoid is 0 or 1 and its logarithm is lost. −ln sigmoid(t) is softplus(−t), which is exact everywhere"
)

PROBLEMS: dict[str, Problem] = {
    "reparameterize": Problem(
        draws, right.reparameterize, DRAWS,
        ("z = μ + σ · ε, of shape (B, Z)", "the gradient reaches mean and log_var, and is right",
         "the same noise gives the same z"),
        "a z for each image, (B, Z)",
        impure="it gives another z at each call, for the same noise: use `noise`, and draw none of your own",
    ),
    "kl-divergence": Problem(
        codes, right.kl_divergence, KL,
        ("the closed form, one number for each image, in nats", "its gradient in mean and log_var"), ONE_EACH,
    ),
    "elbo": Problem(
        images, right.elbo, ELBO,
        ("ln p(x|z) − KL, one number for each image, in nats", "its gradient in raw, mean and log_var"),
        ONE_EACH,
    ),
    "discriminator-loss": Problem(
        game, right.discriminator_loss, DISCRIMINATOR,
        ("−ln D(x) − ln(1 − D(G(z))), one number for each pair, in nats", AT_HUNDREDS,
         "its gradient in the discriminator's weights, and none in the generated images"), ONE_EACH,
        extreme=SURE,
    ),
    "generator-loss": Problem(
        against, right.generator_loss, GENERATOR,
        ("−ln D(G(z)), one number for each image, in nats", AT_HUNDREDS,
         "its gradient in the generated images"), ONE_EACH, extreme=SURE,
    ),
}  # fmt: skip
