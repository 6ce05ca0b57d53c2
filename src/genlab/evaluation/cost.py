"""What a model costs: to train, to keep, to draw an image from."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from genlab.networks.model import GAN, VAE, VAEGAN
from genlab.randomness import generator

BATCH = 500  # images drawn at once where the throughput is measured
SECONDS = 1.0  # each of the two timings repeats for about so long
REPEATS = (3, 50)  # at least, at most
MEGABYTE = 10**6


def measure_cost(
    model: VAE | GAN | VAEGAN, *, training_seconds: float, images_seen: int, seed: int = 0
) -> dict[str, Any]:
    """The "cost" of a record, the model in evaluation mode and on the device where it stands.

    parameters: learned numbers of each part; training_seconds and images_seen as given (steps × batch ×
    batches per step); images_per_second: drawn and decoded `BATCH` at a time; latency_ms: the median time of
    one image by itself; memory_mb: the most that this process ever held resident, the measuring included;
    parameters_mb: the bytes of the parameters alone. Megabytes are 10⁶ bytes.
    """
    assert not model.training
    many, one = timed(model, BATCH, seed), timed(model, 1, seed)
    bytes_held = sum(p.numel() * p.element_size() for p in model.parameters())
    return {
        "parameters": parameters(model),
        "training_seconds": training_seconds,
        "images_seen": images_seen,
        "images_per_second": BATCH / many,
        "latency_ms": 1000 * one,
        "memory_mb": peak_memory() / MEGABYTE,
        "parameters_mb": bytes_held / MEGABYTE,
    }


@torch.inference_mode()
def timed(model: VAE | GAN | VAEGAN, count: int, seed: int) -> float:
    """The median seconds that drawing and decoding `count` images takes, after one that does not count."""
    durations: list[float] = []
    began = time.perf_counter()
    while len(durations) <= REPEATS[0] or (
        time.perf_counter() - began < SECONDS and len(durations) <= REPEATS[1]
    ):
        start = time.perf_counter()
        model.sample(count, generator(seed, "evaluate/cost", len(durations))).cpu()
        durations.append(time.perf_counter() - start)
    return statistics.median(durations[1:])


def parameters(model: nn.Module) -> dict[str, int]:
    """Learned numbers of each part."""
    sizes = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    return {name: size for name, size in sizes.items() if size}


def peak_memory() -> int:
    """The most bytes that this process ever held resident."""
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    status = Path("/proc/self/status")
    if status.exists():  # Linux, where getrusage would also count what the parent held before it became this
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return 1024 * int(line.split()[1])
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
