"""What the likelihood benchmarks share: a run that goes on where it stopped, and L_K on a test set."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genlab.data.batches import to_float
from genlab.data.binarise import binarised
from genlab.data.dataset import Dataset
from genlab.experiment.runner import begin, work
from genlab.experiment.schema import Experiment
from genlab.experiment.trained import Trained, open_run
from genlab.functional.importance import LogMeanExp, log_weights
from genlab.networks.model import VAE
from genlab.objectives.importance import reconstruction
from genlab.randomness import generator
from genlab.runs.events import Metrics
from genlab.runs.files import read_json, write_json
from genlab.runs.store import Run

IMAGES, DRAWS = 100, 50  # decoded at a time: IMAGES · DRAWS
ACTIVE = 0.01  # nothing less of Var_x E_q[z] makes a unit active (Burda et al., 2016, section 5)


def trained(experiment: Experiment, dataset: Dataset, folder: Path) -> Trained:
    """The run in `folder`, begun or gone on with, at its last step. Ctrl-C leaves a checkpoint."""
    torch.set_num_threads(experiment.training.threads)
    run = Run(folder) if (folder / "config.json").exists() else begin(experiment, out=folder, dataset=dataset)
    began = time.monotonic()
    if run.status()["state"] != "completed":
        for event in work(run, dataset=dataset):
            if isinstance(event, Metrics) and time.monotonic() - began > 60:
                began = time.monotonic()
                numbers = "  ".join(f"{key} {value:.2f}" for key, value in event.values.items())
                print(f"{run.name}  step {event.step}  {numbers}", flush=True)
    status = run.status()
    if status["state"] != "completed":
        raise SystemExit(f"{run.name} stopped at step {status['step']}; run this again to go on")
    return open_run(run)


@torch.inference_mode()
def importance_bound(model: VAE, images: Tensor, samples: int, seed: int) -> Tensor:
    """L_K at K = `samples` of each of `images` (N, C, H, W): (N,), nats, in bounded memory.

    Burda et al. (2016), equation 8.
    """
    bounds: list[Tensor] = []
    began = time.monotonic()
    for index, chunk in enumerate(images.split(IMAGES)):
        rng, running = generator(seed, "benchmark/importance", index), LogMeanExp()
        q = model.encode(chunk)
        for draws in parts(samples, DRAWS):
            z = q.sample(torch.randn((draws, *q.mean.shape), generator=rng).to(q.mean))
            nll = reconstruction(model, z, chunk)
            running.add(log_weights(nll, model.prior.log_density(z), q.log_density(z)))
        bounds.append(running.value)
        if time.monotonic() - began > 60:
            began, so_far = time.monotonic(), torch.cat(bounds)
            print(f"L_{samples} of {len(so_far)} images: {-so_far.mean():.2f} nats", flush=True)
    return torch.cat(bounds)


def parts(total: int, size: int) -> Iterator[int]:
    for start in range(0, total, size):
        yield min(size, total - start)


@torch.inference_mode()
def active_units(model: VAE, images: Tensor) -> int:
    """Latent dimensions whose posterior mean differs from image to image."""
    means = torch.cat([model.encode(chunk).mean for chunk in images.split(IMAGES)])
    return int((means.var(dim=0) > ACTIVE).sum())


def measured(opened: Trained, dataset: Dataset, *, samples: int, images: int) -> dict[str, Any]:
    """L_K and the active units of a run on the first `images` test images, black and white by one draw that
    is the same for every run. Kept in the run folder, so that it is computed once."""
    path = opened.run.path / "likelihood.json"
    kept = read_json(path) if path.exists() else {}
    images = min(images, len(dataset.test))
    key = f"step {opened.step}, L_{samples} on {images} images"
    if key not in kept:
        assert isinstance(opened.model, VAE)
        pixels = to_float(torch.from_numpy(dataset.test.pixels[:images]))
        device = opened.experiment.training.device
        model = opened.model.to(device)
        tests = binarised(pixels, generator(0, "benchmark/binarise")).to(device)
        began = time.monotonic()
        nll = -importance_bound(model, tests, samples, seed=0)
        elbo = importance_bound(model, tests, 1, seed=1).mean()
        kept[key] = {
            "nll": float(nll.mean()),
            "error": float(nll.std()) / math.sqrt(len(nll)),
            "elbo": float(elbo),
            "active": active_units(model, tests),
            "samples": samples,
            "images": images,
            "steps": opened.step,
            "epochs": opened.step * opened.experiment.training.batch_size / len(dataset.train),
            "training_seconds": opened.run.status()["seconds"],
            "evaluation_seconds": time.monotonic() - began,
        }
        write_json(path, kept)
    return dict(kept[key])


def write_results(rows: list[dict[str, Any]], path: Path | None) -> None:
    if path is not None:
        path.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
