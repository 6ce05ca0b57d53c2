"""What discriminators say of images: scores, how far these are probabilities, which pixels they turn on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlab.data.batches import to_float, to_uint8
from genlab.experiment.process import use_threads
from genlab.experiment.runner import load_data
from genlab.experiment.trained import CHUNK, open_run
from genlab.functional.adversarial import logistic_discriminator_loss, nonsaturating_generator_loss
from genlab.lessons.work import Said
from genlab.networks.model import GAN, VAE
from genlab.randomness import generator
from genlab.runs.store import Run

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BINS = 15  # Guo et al. (2017)
SCALES = (0.25, 1.0, 4.0)  # that a logit is multiplied by, which moves no decision
GRADIENTS = 500  # generated images at which a gradient is taken
SHOWN = 10
MAPS = "maps.npy"  # (4, SHOWN, C, H, W) uint8: images, the encoder's map, the two discriminators'
PICTURES = "pictures.npy"  # (4, SHOWN, C, H, W) uint8: images, rebuilt; samples of the VAE's, of the GAN's


def measured(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """given: count, of images of each kind. needs: the runs of the VAE, of the GAN, of the GAN with the hinge
    loss. Found for each GAN: "scores", quantiles of the discriminator's output on each kind of image;
    "calibration" of its sigmoid; "scaled", its accuracy, loss and gradient with its logits multiplied.
    """
    use_threads(1)
    opened = [open_run(Run(each / "run"), weights="model") for each in needs]
    vae, *gans = (each.model for each in opened)
    assert isinstance(vae, VAE)
    dataset, seed = load_data(opened[0].experiment), opened[0].experiment.training.seed
    train, test = (
        to_float(torch.from_numpy(each.pixels[: given["count"]])) for each in (dataset.train, dataset.test)
    )
    kinds = {"training images": train, "test images": test, **drawn_by(vae, test, seed)}
    found: dict[str, Any] = {}
    for number, (name, gan) in enumerate(zip(("non-saturating", "hinge"), gans, strict=True)):
        assert isinstance(gan, GAN)
        own = gan_samples(gan, len(test), seed)
        found[name] = of_one(gan, {**kinds, "the GAN's samples": own})
        said((number + 1) / 3)
    shown = test[:SHOWN]
    np.save(folder / MAPS, maps(vae, [gan for gan in gans if isinstance(gan, GAN)], shown))
    np.save(folder / PICTURES, pictures(vae, gans[0], shown, seed))
    return found


@torch.no_grad()
def drawn_by(vae: VAE, images: Tensor, seed: int) -> dict[str, Tensor]:
    rebuilt = torch.cat([vae.reconstruct(chunk) for chunk in images.split(CHUNK)])
    samples = vae.sample(len(images), generator(seed, "lessons/scores/vae"))
    return {"a VAE's reconstructions": rebuilt, "a VAE's samples": samples}


@torch.no_grad()
def gan_samples(gan: GAN, count: int, seed: int) -> Tensor:
    return gan.sample(count, generator(seed, "lessons/scores/gan"))


def of_one(gan: GAN, kinds: Mapping[str, Tensor]) -> dict[str, Any]:
    logits = {name: judged(gan, images) for name, images in kinds.items()}
    at = torch.tensor(QUANTILES)
    real, fake = logits["test images"], logits["the GAN's samples"]
    norms = logit_gradients(gan, kinds["the GAN's samples"][:GRADIENTS])
    return {
        "scores": {name: torch.quantile(each, at).tolist() for name, each in logits.items()},
        "calibration": calibration(real, fake),
        "scaled": [{"scale": each, **scaled(real, fake, norms, each)} for each in SCALES],
    }


@torch.no_grad()
def judged(gan: GAN, images: Tensor) -> Tensor:
    return torch.cat([gan.discriminator(chunk) for chunk in images.split(CHUNK)])


def calibration(real: Tensor, fake: Tensor) -> dict[str, Any]:
    """How far sigmoid(logit) is the share of real images among those that get it, real and generated ones
    being equally many.

    "error" is the expected calibration error (Guo et al., 2017, equation 3): the mean, over images, of the
    distance between the two in its bin. "bins": mean probability, share of real ones, images.
    """
    probability = torch.sigmoid(torch.cat([real, fake]))
    truth = torch.cat([torch.ones(len(real)), torch.zeros(len(fake))])
    place = (probability * BINS).long().clamp_max(BINS - 1)
    bins = []
    for number in range(BINS):
        inside = place == number
        if inside.any():
            said, share = float(probability[inside].mean()), float(truth[inside].mean())
            bins.append({"probability": said, "share": share, "images": int(inside.sum())})
    error = sum(abs(each["probability"] - each["share"]) * each["images"] for each in bins) / len(truth)
    return {"error": error, "bins": bins}


def logit_gradients(gan: GAN, images: Tensor) -> tuple[Tensor, Tensor]:
    """The logit at each image (N,), and the norm of its gradient there (N,)."""
    logits, gradient = gradient_of(gan.discriminator, images)
    return logits, gradient.flatten(1).norm(dim=1)


def scaled(real: Tensor, fake: Tensor, norms: tuple[Tensor, Tensor], scale: float) -> dict[str, float]:
    """The critic whose logit is `scale` times this one's: its accuracy, its logistic loss, and the mean norm
    of the gradient that the non-saturating loss hands the generator."""
    at, steepness = norms
    at = (scale * at).requires_grad_(True)
    (slope,) = torch.autograd.grad(nonsaturating_generator_loss(at, at).sum(), at)
    correct = ((real > 0).float().mean() + (fake < 0).float().mean()) / 2
    return {
        "accuracy": float(correct),
        "loss": float(logistic_discriminator_loss(scale * real, scale * fake).mean()),
        "gradient": float((slope.abs() * scale * steepness).mean()),
    }


def gradient_of(function: Callable[[Tensor], Tensor], images: Tensor) -> tuple[Tensor, Tensor]:
    """function(images) (N,), and its gradient in the pixels (N, C, H, W); each image is taken apart."""
    images = images.detach().requires_grad_(True)
    values = function(images)
    (gradient,) = torch.autograd.grad(values.sum(), images)
    return values.detach(), gradient


def maps(vae: VAE, gans: Sequence[GAN], images: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Where a small change of a pixel changes the output most: |∂‖μ(x)‖/∂x| of the encoder's mean, and
    |∂D(x)/∂x| of each logit; each map over its own largest value. Simonyan et al. (2014)."""
    functions: list[Callable[[Tensor], Tensor]] = [lambda x: vae.encode(x).mean.norm(dim=1)]
    functions += [gan.discriminator for gan in gans]
    rows = [to_uint8(images)]
    for function in functions:
        gradient = gradient_of(function, images)[1].abs()
        rows.append(to_uint8(2 * gradient / gradient.amax(dim=(1, 2, 3), keepdim=True) - 1))
    return torch.stack(rows).numpy()


@torch.no_grad()
def pictures(vae: VAE, gan: Any, images: Tensor, seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    rebuilt = drawn_by(vae, images, seed)
    rows = [images, *rebuilt.values(), gan_samples(gan, len(images), seed)]
    return torch.stack([to_uint8(row) for row in rows]).numpy()
