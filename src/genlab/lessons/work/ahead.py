"""One player goes on learning alone while its partner stands still: what becomes of the partner's loss, and
of the gradient that the partner is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from genlab.data.batches import Batch, to_float
from genlab.data.dataset import Dataset
from genlab.experiment import schema
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.process import use_threads
from genlab.experiment.runner import load_data, make_batches
from genlab.functional.adversarial import (
    LOSSES,
    Critic,
    logistic_discriminator_loss,
    minimax_generator_loss,
    nonsaturating_generator_loss,
)
from genlab.lessons.work import Said
from genlab.lessons.work.scores import calibration, gradient_of
from genlab.networks.model import GAN, VAE
from genlab.objectives.adversarial import Penalties, discriminator_update
from genlab.randomness import generator
from genlab.runs.store import Run
from genlab.training import checkpoint
from genlab.training.optim import Adam
from genlab.training.state import State

Step = Callable[[Batch, torch.Generator], Tensor]
MEASURED = 1000  # images
GENERATOR_LOSSES = {"minimax": minimax_generator_loss, "non-saturating": nonsaturating_generator_loss}


class Standing:
    """A run where its training ended, with its optimizers' moments and the batches that would come next."""

    def __init__(self, folder: Path) -> None:
        run = Run(folder / "run")
        self.experiment = schema.parse(run.config(), str(run.path / "config.json"))
        self.dataset: Dataset = load_data(self.experiment)
        self.state: State = build_state(self.experiment, build_model(self.experiment, self.dataset.shape))
        checkpoint.load(self.state, checkpoint.list_checkpoints(run.checkpoints)[-1])
        self.batches = make_batches(self.experiment, self.dataset, build_objective(self.experiment.objective))

    def alone(self, part: nn.Module, owner: str, marks: Sequence[int], loss: Step) -> Iterator[int]:
        """Let `part` alone descend `loss`, by the moments that its optimizer has of it; yields at each of
        `marks`, rising numbers of steps from 0 on. The rate falls to 0 at the last, so that the part settles
        and what is measured there is no single step's doing."""
        adam, seed = of_part(self.state.optimizers[owner], part), self.experiment.training.seed
        for taken in range(marks[-1] + 1):
            if taken in marks:
                yield taken
            if taken < marks[-1]:
                self.state.model.train()
                step = self.state.step + taken
                descended = loss(self.batches(step), generator(seed, "lessons/ahead", step))
                adam.descend(descended, taken, marks[-1])


def of_part(adam: Adam, part: nn.Module) -> Adam:
    """An optimizer of `part` alone with the moments that `adam` has of it, whose rate falls to 0."""
    place = {id(parameter): index for index, parameter in enumerate(adam.parameters)}
    own = Adam([part], replace(adam.settings, final=0.0, schedule="cosine"))
    for name in ("steps", "means", "squares"):
        setattr(own, name, [getattr(adam, name)[place[id(parameter)]] for parameter in own.parameters])
    return own


def discriminator(
    given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said
) -> dict[str, Any]:
    """given: marks. needs: a GAN's run. Its discriminator goes on alone; at each mark its loss, its accuracy
    and the calibration error of its sigmoid, on test images and fresh samples; the generator's losses, and
    the mean norm of each loss's gradient in a generated image.
    """
    use_threads(1)
    standing = Standing(needs[0])
    gan = standing.state.model
    assert isinstance(gan, GAN)
    objective = standing.experiment.objective
    assert isinstance(objective, schema.Adversarial)
    loss = LOSSES[objective.loss]

    def descended(batch: Batch, rng: torch.Generator) -> Tensor:
        with torch.no_grad():
            fake = gan.sample(len(batch), rng)
        return discriminator_update(gan.discriminator, loss, Penalties(), batch.images, fake, rng).loss

    real = to_float(torch.from_numpy(standing.dataset.test.pixels[:MEASURED]))
    rows, marks = [], given["marks"]
    for taken in standing.alone(gan.discriminator, "discriminator", marks, descended):
        gan.eval()
        rows.append({"steps": taken, **looked_at(gan, real, standing.experiment.training.seed)})
        said(taken / marks[-1])
    return {"rows": rows}


def looked_at(gan: GAN, real: Tensor, seed: int) -> dict[str, float]:
    with torch.no_grad():
        fake = gan.sample(len(real), generator(seed, "lessons/ahead/measured"))
        real_logits, fake_logits = gan.discriminator(real), gan.discriminator(fake)
    found = {
        "loss": float(logistic_discriminator_loss(real_logits, fake_logits).mean()),
        "accuracy": float(((real_logits > 0).float().mean() + (fake_logits < 0).float().mean()) / 2),
        "calibration": calibration(real_logits, fake_logits)["error"],
    }
    for name, loss in GENERATOR_LOSSES.items():
        values, norms = handed(gan.discriminator, fake, loss)
        found |= {f"{name} loss": float(values.mean()), f"{name} gradient": float(norms.mean())}
    return found


def handed(critic: Critic, fake: Tensor, loss: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """A generator loss at each generated image, and the norm of its gradient there: (N,), (N,)."""

    def value(images: Tensor) -> Tensor:
        logits = critic(images)
        return loss(logits, logits)

    values, gradient = gradient_of(value, fake)
    return values, gradient.flatten(1).norm(dim=1)


def encoder(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """given: marks. needs: a VAE's run. Its encoder goes on alone; at each mark the loss that the decoder
    shares with it, −ELBO in nats per image, on training images, the noise always the same."""
    use_threads(1)
    standing = Standing(needs[0])
    vae = standing.state.model
    assert isinstance(vae, VAE)
    images = to_float(torch.from_numpy(standing.dataset.train.pixels[:MEASURED]))

    def descended(batch: Batch, rng: torch.Generator) -> Tensor:
        return negative_elbo(vae, batch.images, rng)

    rows, marks = [], given["marks"]
    for taken in standing.alone(vae.encoder, "vae", marks, descended):
        vae.eval()
        with torch.no_grad():
            rng = generator(standing.experiment.training.seed, "lessons/ahead/measured")
            rows.append({"steps": taken, "loss": float(negative_elbo(vae, images, rng))})
        said(taken / marks[-1])
    return {"rows": rows}


def negative_elbo(vae: VAE, images: Tensor, rng: torch.Generator) -> Tensor:
    noise = torch.randn(len(images), vae.prior.latent_dim, generator=rng)
    _, nll, divergence = vae(images, noise)
    loss: Tensor = (nll + divergence).mean()
    return loss
