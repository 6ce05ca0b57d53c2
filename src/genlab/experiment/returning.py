"""From an image to a z and back, for any run: by its own encoder, by that of the VAE that its generator came
from, or by a search for z."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from genlab.errors import UserError
from genlab.evaluation.inversion import Progress, invert
from genlab.evaluation.inversion import how as searched
from genlab.experiment.trained import Trained, open_run
from genlab.networks.model import GAN
from genlab.runs.store import Run


class Returned(NamedTuple):
    """What came back of images, (N, C, H, W) in [−1, 1], and a sentence on `how`."""

    images: Tensor
    how: str


def come_back(
    trained: Trained,
    images: Tensor,
    *,
    search: bool = False,
    encoder: Trained | None = None,
    progress: Progress | None = None,
) -> Returned:
    """Images (N, C, H, W) in [−1, 1] through a z of `trained` and its decoder.

    z is the mean of q from the run's own encoder, or from `encoder` where given; a GAN without one takes that
    of the VAE whose decoder its generator was. With `search` z is searched for, from that code among others
    where there is one. Raises UserError where a GAN has neither, or the encoder is made for other latents or
    images. `progress(done, total)` counts the steps of a search.
    """
    source = encoder or encoder_of(trained)
    if source is not None:
        check(trained, source)
        codes = source.encode(images)
        if not search:
            return Returned(trained.decode(codes), said(trained, source))
    elif not search:
        raise UserError(
            f"{trained.run.name} is a GAN and has no encoder: search for latents with --invert, or encode "
            "with those of a VAE, --with RUN"
        )
    else:
        codes = None
    found = invert(trained.model, images, codes=codes, progress=progress)
    return Returned(found.images, searched("" if source is None else source.run.name))


def encoder_of(trained: Trained) -> Trained | None:
    """The run itself where it has an encoder, else the nearest before it that has one: the run whose decoder
    became its generator, or the one that that one started from. None where there is none, or it is gone."""
    seen = {trained.run.path.resolve()}
    while isinstance(trained.model, GAN):
        path = Path(trained.experiment.start or "").resolve()
        if trained.experiment.start is None or path in seen or not (path / "config.json").exists():
            return None
        seen.add(path)
        trained = open_run(Run(path))
    return trained


def check(trained: Trained, source: Trained) -> None:
    """Raises UserError where the codes of `source` are none that `trained` can decode."""
    theirs, mine = source.autoencoder.decoder, trained.model.decoder
    if theirs.latent_dim != mine.latent_dim or theirs.shape != mine.shape:
        raise UserError(
            f"{source.run.name} encodes {theirs.shape} to {theirs.latent_dim} latents and "
            f"{trained.run.name} decodes {mine.latent_dim} to {mine.shape}; take an encoder of one kind"
        )


def said(trained: Trained, source: Trained) -> str:
    if source.run.path.resolve() == trained.run.path.resolve():
        return "by the run's own encoder"
    return f"encoded by {source.run.name}, decoded by {trained.run.name}"
