"""What a run is validated by while it trains, and what its best checkpoint is chosen by.

The choice is made on validation images, never on test images, which must not choose what they measure. A run
without validation images is measured against a fixed choice of its training images, and the names of the
values say so ("fid/train"): that tells under- from well-trained, and is blind to what was learned by heart.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from genlab.data.batches import to_float
from genlab.data.binarise import binarised
from genlab.data.choosing import Index
from genlab.data.dataset import Dataset
from genlab.data.fetch import cache_folder
from genlab.data.order import permuted
from genlab.evaluation.extractor import Extractor
from genlab.evaluation.feature_networks import extractor_for
from genlab.experiment import schema
from genlab.metrics.frechet import frechet_from_moments, moments
from genlab.networks.model import GAN, VAE, VAEGAN
from genlab.randomness import derive_seed, generator
from genlab.training.state import Model

SAMPLES = 2_000  # drawn for a Fréchet distance: always as many, since it falls with their number
REALS = 5_000  # images that they are measured against, at most
ENCODED = 2_000  # images whose negative ELBO is averaged, at most
CHUNK = 250  # images at once


class Validator:
    """Measures a model in evaluation mode: for a model with an encoder the negative ELBO ("nelbo", nats per
    image, one draw of q(z|x) each), for all the Fréchet distance of samples ("fid", on the data's own feature
    network). Smaller is better for both.

    Latents, noise and images are the same every time, drawn from streams of validation's own: two values
    differ by what was learned between them, and measuring changes no training.
    """

    def __init__(self, experiment: schema.Experiment, dataset: Dataset, extractor: Extractor) -> None:
        self.seed, self.extractor = experiment.training.seed, extractor
        given = dataset.validation
        self.suffix = "/train" if given is None else ""
        pixels = (given or dataset.train).pixels
        images = to_float(torch.from_numpy(pixels[chosen(len(pixels), dataset.streams, self.seed)]))
        self.reals = moments(extractor(images).features)  # grey levels, as a model's samples have them
        if experiment.data.binarise == "dynamic":
            images = binarised(images, generator(self.seed, "validate/binarise"))
        self.encoded = images[:ENCODED]

    @torch.inference_mode()
    def __call__(self, model: Model) -> dict[str, float]:
        values = {} if isinstance(model, GAN) else {f"nelbo{self.suffix}": self.nelbo(model)}
        return {**values, f"fid{self.suffix}": self.fid(model)}

    def nelbo(self, model: VAE | VAEGAN) -> float:
        """The mean of −ln p(x|z) + KL(q(z|x) ‖ p(z)), at β = 1."""
        total = 0.0
        for index, chunk in enumerate(self.encoded.split(CHUNK)):
            images = chunk.to(model.device)
            q = model.encode(images)
            noise = torch.randn(q.mean.shape, generator=generator(self.seed, "validate/posterior", index))
            z = q.sample(noise.to(q.mean))
            terms = model.observation.nll(model.raw(z), images) + model.prior.kl(q, z)
            total += float(terms.cpu().double().sum())  # Apple's GPU has no float64
        return total / len(self.encoded)

    def fid(self, model: Model) -> float:
        """NaN where the samples are not finite."""
        drawn: list[Tensor] = []
        for index in range(SAMPLES // CHUNK):
            drawn.append(model.sample(CHUNK, generator(self.seed, "validate/samples", index)).cpu())
        samples = torch.cat(drawn)
        if not bool(samples.isfinite().all()):
            return float("nan")
        return frechet_from_moments(moments(self.extractor(samples).features), self.reals)


def chosen(count: int, streams: bool, seed: int) -> Index:
    """Which of `count` images are looked at; no permutation of all is made where they may be very many."""
    if streams:
        return permuted(np.arange(min(REALS, count)), count, derive_seed(seed, "validate/choice"))
    order = torch.randperm(count, generator=generator(seed, "validate/choice"))[:REALS]
    return np.asarray(order)


def validator(experiment: schema.Experiment, dataset: Dataset) -> Validator | None:
    """None for a run that is never validated. The feature network is that of a report: a classifier that must
    be trained for the images first takes about a minute, once."""
    if experiment.training.validate_every == 0:
        return None
    return Validator(experiment, dataset, extractor_for(dataset, folder=cache_folder() / "features"))


def deciding(experiment: schema.Experiment, validate: Validator | None) -> str | None:
    """The name of the value that the best checkpoint has the smallest of; None where none is kept."""
    chosen = experiment.training.keep_best
    if validate is None or chosen == "none":
        return None
    if chosen == "auto":  # what a family is trained for; a VAE-GAN's ELBO is not what it descends
        chosen = "nelbo" if experiment.family == "vae" else "fid"
    return f"{chosen}{validate.suffix}"
