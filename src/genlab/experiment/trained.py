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
from genlab.networks.model import GAN
from genlab.networks.prior import GaussianMixture
from genlab.randomness import generator
from genlab.runs.files import replacing
from genlab.runs.sheets import write_sheet
from genlab.runs.store import Run
from genlab.training import checkpoint
from genlab.training.ema import tensors
from genlab.training.state import Model

CHUNK = 500  # images decoded at a time


class Drawn(NamedTuple):
    """`images` (N, C, H, W) in [−1, 1] and the `latents` (N, Z) that they were decoded from."""

    images: Tensor
    latents: Tensor


class Trained:
    """The model of a run as it is used: averaged weights, evaluation mode, on the CPU."""

    def __init__(self, run: Run, experiment: schema.Experiment, model: Model, step: int) -> None:
        self.run, self.experiment, self.step = run, experiment, step
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

    @torch.inference_mode()
    def encode(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> posterior means (N, Z). Raises UserError for a GAN."""
        model = self.model
        if isinstance(model, GAN):
            raise UserError(
                f"{self.run.name} is a GAN and has no encoder; reconstruct with the VAE that its generator "
                "came from, or train one with `genlab train vae`"
            )
        return torch.cat([model.encode(chunk).mean for chunk in images.split(CHUNK)])

    def reconstruct(self, images: Tensor) -> Tensor:
        """Encode and decode by the posterior mean: (N, C, H, W). Raises UserError for a GAN."""
        return self.decode(self.encode(images))

    def interpolate(self, first: Tensor, last: Tensor, steps: int, *, spherical: bool = False) -> Tensor:
        """Images on the way between latents `first` and `last` (R, Z): (R·steps, C, H, W), row by row."""
        path = [blend(first, last, t, spherical) for t in torch.linspace(0, 1, steps)]
        return self.decode(torch.stack(path, dim=1).flatten(0, 1))


def blend(first: Tensor, last: Tensor, t: Tensor, spherical: bool) -> Tensor:
    """Between (R, Z) and (R, Z): along the line, or along the arc (Shoemake, 1985)."""
    if not spherical:
        return torch.lerp(first, last, t)
    cosine = torch.cosine_similarity(first, last, dim=1).clamp(-1, 1).unsqueeze(1)
    angle = torch.acos(cosine).clamp_min(1e-4)
    return (torch.sin((1 - t) * angle) * first + torch.sin(t * angle) * last) / torch.sin(angle)


def open_run(run: Run, *, prior: str = "own", weights: str = "averaged", step: int | None = None) -> Trained:
    """The trained model of `run`, from its newest checkpoint or the one at `step`.

    `prior="fitted"` puts the prior fitted to the codes in the place of the run's; "own" is the one that the
    run was trained with. Raises UserError where there is no checkpoint or no fitted prior.
    """
    experiment = schema.parse(run.config(), str(run.path / "config.json"))
    path = newest(run, step)
    assert experiment.data.shape is not None
    cpu = experiment.model_copy(update={"training": experiment.training.model_copy(update={"device": "cpu"})})
    model = build_model(cpu, experiment.data.shape)
    checkpoint.load_model(model, path, weights)
    if prior == "fitted":
        model.prior = read_prior(run)
    return Trained(run, experiment, model, int(path.stem.removeprefix("step-")))


def newest(run: Run, step: int | None = None) -> Path:
    found = checkpoint.list_checkpoints(run.checkpoints)
    if step is not None:
        found = [path for path in found if path.stem == f"step-{step:07d}"]
    if not found:
        raise UserError(
            f"{run.name} has no trained model yet: train it first, with `genlab train --resume {run.name}`"
        )
    return found[-1]


def write_prior(run: Run, prior: GaussianMixture | Flow) -> None:
    """Keep a prior fitted to the run's codes beside its checkpoints."""
    flat = tensors(prior)
    checkpoint.write_tensors(run.path / "prior.safetensors", flat, {"format": "genlab-prior", "version": "1"})


def read_prior(run: Run) -> GaussianMixture | Flow:
    """The prior fitted to the run's codes: what it is shows in its tensors. Raises UserError where none was
    fitted."""
    path = run.path / "prior.safetensors"
    if not path.exists():
        raise UserError(f"{run.name} has no fitted prior: fit one first, with `genlab fit-prior {run.name}`")
    flat = checkpoint.read_tensors(path)
    if set(flat) == {"weights", "means", "scales"}:
        return GaussianMixture(flat["weights"], flat["means"], flat["scales"])
    first, layers = flat.get("layers.0.net.0.weight"), len({key.split(".")[1] for key in flat if "." in key})
    last = flat.get("layers.0.net.4.weight")
    if first is None or last is None:
        raise UserError(f"{path} is not a fitted prior; fit it again, with `genlab fit-prior {run.name}`")
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
