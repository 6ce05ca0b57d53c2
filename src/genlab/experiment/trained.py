"""A trained run, opened for use: sample, reconstruct, interpolate."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genlab.data.batches import to_uint8
from genlab.errors import UserError
from genlab.experiment import schema
from genlab.experiment.build import build_model
from genlab.networks.flow import FITTED, Flow
from genlab.networks.model import GAN, VAE, VAEGAN
from genlab.networks.prior import GaussianMixture
from genlab.randomness import generator
from genlab.runs.files import replacing
from genlab.runs.reference import Step, parse_reference
from genlab.runs.sheets import write_sheet
from genlab.runs.store import Run, find_run
from genlab.training import checkpoint
from genlab.training.best import NAME
from genlab.training.ema import tensors
from genlab.training.state import Model

CHUNK = 500  # images decoded at a time
PRIOR = "genlab-prior"


class Drawn(NamedTuple):
    """`images` (N, C, H, W) in [−1, 1] and the `latents` (N, Z) that they were decoded from."""

    images: Tensor
    latents: Tensor


class Trained:
    """The model of a run as it is used: averaged weights, evaluation mode, on the CPU. `prior` says whether z
    comes from the prior that it was trained with ("own") or from one fitted to its codes ("fitted"); `best`,
    whether it is the best checkpoint by validation."""

    def __init__(
        self,
        run: Run,
        experiment: schema.Experiment,
        model: Model,
        step: int,
        prior: str = "own",
        best: bool = False,
    ) -> None:
        self.run, self.experiment, self.step = run, experiment, step
        self.prior, self.best = prior, best
        self.model = model.eval().requires_grad_(False)

    def sample(self, n: int, seed: int = 0, *, truncation: float = 1.0) -> Drawn:
        """`n` images from the prior. `truncation` below 1 scales z towards the origin: fewer surprises,
        less variety."""
        latents = self.model.latents(n, generator(seed, "generate")) * truncation
        return Drawn(self.decode(latents), latents)

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Tensor:
        """(N, Z) -> images (N, C, H, W) in [−1, 1]."""
        return torch.cat([self.model.decode(chunk) for chunk in latents.split(CHUNK)])

    @property
    def autoencoder(self) -> VAE | VAEGAN:
        """The model, where it has an encoder. Raises UserError for a GAN."""
        if isinstance(self.model, GAN):
            raise UserError(
                f"{self.run.name} is a GAN and has no encoder; take the VAE that its generator came from, "
                "or train one with `genlab train vae`"
            )
        return self.model

    @torch.inference_mode()
    def encode(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> posterior means (N, Z). Raises UserError for a GAN."""
        model = self.autoencoder
        return torch.cat([model.encode(chunk).mean for chunk in images.split(CHUNK)])

    def reconstruct(self, images: Tensor) -> Tensor:
        """Encode and decode by the posterior mean: (N, C, H, W). Raises UserError for a GAN."""
        return self.decode(self.encode(images))

    def interpolate(self, first: Tensor, last: Tensor, steps: int, *, spherical: bool = False) -> Tensor:
        """Images on the way between latents `first` and `last` (R, Z): (R·steps, C, H, W), row by row."""
        return self.decode(along(first, last, steps, spherical=spherical).flatten(0, 1))


def along(first: Tensor, last: Tensor, steps: int, *, spherical: bool = False) -> Tensor:
    """Latents on the way between `first` and `last` (R, Z), both included: (R, steps, Z)."""
    return torch.stack([blend(first, last, t, spherical) for t in torch.linspace(0, 1, steps)], dim=1)


def square(corners: Tensor, steps: int, *, spherical: bool = False) -> Tensor:
    """Latents of a square whose corners, row by row, are `corners` (4, Z), blended along its upper and its
    lower side and then from the one to the other: (steps, steps, Z)."""
    upper, lower = along(corners[::2], corners[1::2], steps, spherical=spherical).unbind()
    return along(upper, lower, steps, spherical=spherical).transpose(0, 1)


def blend(first: Tensor, last: Tensor, t: Tensor, spherical: bool) -> Tensor:
    """Between (R, Z) and (R, Z): along the line, or along the arc (Shoemake, 1985)."""
    if not spherical:
        return torch.lerp(first, last, t)
    cosine = torch.cosine_similarity(first, last, dim=1).clamp(-1, 1).unsqueeze(1)
    angle = torch.acos(cosine).clamp_min(1e-4)
    return (torch.sin((1 - t) * angle) * first + torch.sin(t * angle) * last) / torch.sin(angle)


def open_run(run: Run, *, prior: str = "own", weights: str = "averaged", step: Step = None) -> Trained:
    """The trained model of `run`, from its newest checkpoint, the one at `step`, or the best.

    `prior="fitted"` puts the prior fitted to the codes in the place of the run's; "own" is the one that the
    run was trained with. Raises UserError where there is no checkpoint or no fitted prior.
    """
    experiment = schema.parse(run.config(), str(run.path / "config.json"))
    if experiment.start is not None:  # of a run that moves together with its source, relative to its folder
        start = str((run.path / experiment.start).resolve())
        experiment = experiment.model_copy(update={"start": start})
    path = newest(run, step)
    assert experiment.data.shape is not None
    check_size(experiment, path)
    model = build_model(placed(experiment, "cpu"), experiment.data.shape)
    reached = checkpoint.load_model(model, path, weights)
    if prior == "fitted":
        model.prior = read_prior(run, step == "best")
    return Trained(run, experiment, model, reached, prior, step == "best")


def placed(experiment: schema.Experiment, device: str) -> schema.Experiment:
    return experiment.model_copy(
        update={"training": experiment.training.model_copy(update={"device": device})}
    )


def check_size(experiment: schema.Experiment, path: Path) -> None:
    """Raises UserError where the model that a config describes is larger than the checkpoint at `path`,
    before memory is taken for it."""
    assert experiment.data.shape is not None
    with torch.device("meta"):  # shapes without numbers
        model = build_model(placed(experiment, "meta"), experiment.data.shape)
    numbers = sum(tensor.numel() for tensor in tensors(model).values())
    if numbers > path.stat().st_size:  # a number takes a byte at least
        raise UserError(
            f"the config beside {path} describes a model of {numbers:,} numbers, for which that file is too "
            "small: it was made by another config; restore the one that it was trained by"
        )


def open_reference(reference: str, *, prior: str | None = None, step: Step = None) -> Trained:
    """The trained model that "RUN", "RUN@best", "RUN@STEP", "RUN:fitted" or "RUN@best:fitted" names; a
    `prior` or `step` given besides decides over what the reference says. Raises UserError."""
    named = parse_reference(reference)
    chosen = named.step if step is None else step
    return open_run(find_run(named.run), prior=prior or named.prior, step=chosen)


def newest(run: Run, step: Step = None) -> Path:
    """The newest checkpoint of `run`, the one at `step`, or the best. Raises UserError."""
    if step == "best":
        best = run.checkpoints / NAME
        if best.exists():
            return best
        raise UserError(
            f"{run.name} kept no best checkpoint: one is kept where training.validate_every is not 0"
        )
    found = checkpoint.list_checkpoints(run.checkpoints)
    if not found:
        raise UserError(
            f"{run.name} has no trained model yet: train it first, with `genlab train --resume {run.name}`"
        )
    at = {int(path.stem.removeprefix("step-")): path for path in found}
    if step is not None and step not in at:
        steps = " and ".join(map(str, at))
        raise UserError(f"{run.name} has no checkpoint at step {step} any more; it keeps those at {steps}")
    return found[-1] if step is None else at[step]


def prior_path(run: Run, best: bool = False) -> Path:
    """The codes of the newest and of the best checkpoint differ, and so do the priors fitted to them."""
    return run.path / ("prior-best.safetensors" if best else "prior.safetensors")


def write_prior(run: Run, prior: GaussianMixture | Flow, best: bool = False) -> None:
    """Keep a prior fitted to the run's codes beside its checkpoints."""
    flat = tensors(prior)
    checkpoint.write_tensors(prior_path(run, best), flat, checkpoint.said_of(PRIOR))


def read_prior(run: Run, best: bool = False) -> GaussianMixture | Flow:
    """The prior fitted to the run's codes: what it is shows in its tensors. Raises UserError where none was
    fitted."""
    path, name = prior_path(run, best), f"{run.name}@best" if best else run.name
    if not path.exists():
        raise UserError(f"{name} has no fitted prior: fit one first, with `genlab fit-prior {name}`")
    flat = checkpoint.read_tensors(path, kind=PRIOR)
    if set(flat) == {"weights", "means", "scales"}:
        return GaussianMixture(flat["weights"], flat["means"], flat["scales"])
    first, layers = flat.get("layers.0.net.0.weight"), len({key.split(".")[1] for key in flat if "." in key})
    last = flat.get("layers.0.net.4.weight")
    if first is None or last is None:
        raise UserError(f"{path} is not a fitted prior; fit it again, with `genlab fit-prior {name}`")
    hidden, kept = first.shape
    flow = Flow(kept + len(last) // 2, layers, hidden, FITTED)
    checkpoint.fill(flow, flat, "", path)
    return flow.eval().requires_grad_(False)


def save_images(
    images: Tensor, path: Path | str, *, latents: Tensor | None = None, columns: int | None = None
) -> None:
    """A .png sheet of images (N, C, H, W) in [−1, 1], or an .npz with `images` uint8 (N, H, W, C) and, where
    given, `latents` float32 (N, Z). Raises UserError for another ending."""
    path, pixels = Path(path), to_uint8(images).cpu().numpy()
    if path.suffix == ".png":
        columns = columns or max(8, round(len(pixels) ** 0.5))
        write_sheet(path, pixels, columns, scale=max(1, 56 // pixels.shape[2]))
    elif path.suffix == ".npz":
        arrays: dict[str, Any] = {"images": pixels.transpose(0, 2, 3, 1)}
        if latents is not None:
            arrays["latents"] = latents.cpu().numpy()
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)
    else:
        raise UserError(f"can't write images as {path.name!r}; give a name that ends in .png or .npz")
