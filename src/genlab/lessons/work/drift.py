"""How far a GAN's generator goes from the decoder that it was: in its samples, in what it draws from the same
latents, and in what the old encoder reads from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlab.data.batches import to_uint8
from genlab.evaluation.extractor import Extractor
from genlab.evaluation.references import References
from genlab.experiment.measured import references
from genlab.experiment.process import use_threads
from genlab.experiment.runner import load_data
from genlab.experiment.trained import CHUNK, open_run
from genlab.lessons.work import Said
from genlab.lessons.work.handover import generator_at, is_whole
from genlab.metrics.diversity import AT_MOST, diversity
from genlab.metrics.frechet import frechet_from_moments, moments
from genlab.networks.model import VAE, Generative
from genlab.randomness import generator
from genlab.runs.store import Run

SHOWN = 10  # latents in the picture
PICTURES = "same-z.npy"  # (1 + marks, SHOWN, C, H, W) uint8: the VAE's images, then the GAN's at each mark


@torch.inference_mode()
def measured(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """given: marks; count, of samples at each; codes, latents that are the same throughout. needs: the GAN's
    training, the VAE's run. Found: a row for each mark, see `Looks`; and "chance", the error of reading a
    code from the image of another. Nothing for a GAN that diverged."""
    use_threads(1)
    marks = given["marks"]
    if not is_whole(needs[0], marks):
        return {"rows": [], "chance": None}
    gan, vae = (open_run(Run(each / "run")) for each in needs[:2])
    assert isinstance(vae.model, VAE)
    real = references(load_data(vae.experiment))
    looks = Looks.of(gan.model, vae.model, real, given, gan.experiment.training.seed)
    rows, shown = [], [looks.before[:SHOWN]]
    for number, step in enumerate(marks):
        decoder = generator_at(needs[0], step)

        def images(latents: Tensor, decoder: torch.nn.Module = decoder) -> Tensor:
            found = [gan.model.observation.image(decoder(some)) for some in latents.split(CHUNK)]
            return torch.cat(found)

        fixed = images(looks.latents)
        rows.append({"step": step, **looks.samples(images(looks.drawn)), **looks.at_same_z(fixed)})
        shown.append(fixed[:SHOWN])
        said((number + 1) / len(marks))
    np.save(folder / PICTURES, torch.stack([to_uint8(each) for each in shown]).numpy())
    return {"rows": rows, "chance": looks.chance}


@dataclass(frozen=True)
class Looks:
    """What every generator of one training is held against: `drawn`, latents (N, Z) of its samples;
    `latents` (M, Z), and `before` (M, C, H, W), what the VAE draws from them."""

    vae: VAE
    real: References
    drawn: Tensor
    latents: Tensor
    before: Tensor

    @staticmethod
    def of(gan: Generative, vae: VAE, real: References, given: Mapping[str, Any], seed: int) -> Looks:
        """Both kinds of latents come from the GAN's own prior."""
        drawn = gan.latents(given["count"], generator(seed, "lessons/drift/samples"))
        latents = gan.latents(given["codes"], generator(seed, "lessons/drift/same"))
        before = torch.cat([vae.decode(some) for some in latents.split(CHUNK)])
        return Looks(vae, real, drawn, latents, before)

    def samples(self, images: Tensor) -> dict[str, float]:
        """ "frechet", the distance to the test images by the data's own features; "diversity" of samples, the
        mean over groups of them, 1 where they differ as real images do."""
        seen = self.real.own.extractor(images).features
        reals = self.real.test_images()
        size = min(AT_MOST, len(reals))
        groups = zip(reals.split(size), images.split(size), strict=False)
        ratios = [diversity(a, b) for a, b in groups if len(a) == len(b) == size]
        return {
            "frechet": frechet_from_moments(self.real.own.moments, moments(seen)),
            "diversity": float(torch.stack(ratios).mean()),
        }

    def at_same_z(self, images: Tensor) -> dict[str, float]:
        """ "pixels" and "features": how far the images are from the VAE's, 1 being the distance between two
        images of the VAE's; "code", how far from z the encoder's mean is: ‖E(G(z)) − z‖ / ‖z‖."""
        extractor = self.real.own.extractor
        return {
            "pixels": apart(images.flatten(1), self.before.flatten(1)),
            "features": apart(seen_by(extractor, images), seen_by(extractor, self.before)),
            "code": missed(self.read(images), self.latents),
        }

    def read(self, images: Tensor) -> Tensor:
        return torch.cat([self.vae.encode(some).mean for some in images.split(CHUNK)])

    @property
    def chance(self) -> float:
        """`missed` where each image is another's."""
        return missed(self.read(self.before).roll(1, dims=0), self.latents)


def seen_by(extractor: Extractor, images: Tensor) -> Tensor:
    return extractor(images).features


def apart(rows: Tensor, before: Tensor) -> float:
    """The mean distance of N rows (N, D) from those of `before`, over that from one of these to the next."""
    usual = (before - before.roll(1, dims=0)).norm(dim=1).mean()
    return float((rows - before).norm(dim=1).mean() / usual)


def missed(read: Tensor, latents: Tensor) -> float:
    """‖read − z‖ / ‖z‖, the mean over (N, Z)."""
    return float(((read - latents).norm(dim=1) / latents.norm(dim=1)).mean())
