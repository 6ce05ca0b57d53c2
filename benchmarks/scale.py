"""What several devices and 10⁸ images would need: the table of docs/scale.md, and what to hold it against.

    python benchmarks/scale.py              counts of one step, and an ESTIMATE for 8 and 64 GPUs made of them
    python benchmarks/scale.py --measure    images/s on this machine: 1 and 2 processes, memory and shards

Bytes, messages and FLOPs are counted on the real networks and the real step. The rates of the hardware are
assumptions, which stand below and in the table; no machine of that size was at hand.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from genlab import ranks, reduction
from genlab.data.dataset import Dataset, Images
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.runner import make_batches
from genlab.experiment.schema import Experiment
from genlab.recipes import recipe
from genlab.training import checkpoint
from genlab.training.fit import advance

CASES = {
    "default GAN, 28 px grey": (recipe("gan"), (1, 28, 28)),
    "wider GAN, 64 px colour": (
        recipe("gan", "network.decoder.width=64", "network.discriminator.width=64",
               "network.decoder.blocks=1", "network.discriminator.blocks=1"),
        (3, 64, 64),
    ),
}  # fmt: skip
PART = 64  # images for each GPU and step

# Assumptions, not measurements.
SUSTAINED = 20e12  # FLOP/s of a GPU in these networks
LAUNCH = 5e-6  # seconds for each operation, below which a GPU waits for its program
LINKS = {8: (200e9, 30e-6), 64: (20e9, 60e-6)}  # GPUs: bytes/s of the slowest link, seconds for a message
IMAGES = 10**8
AROUND = 128 << 10  # bytes that the system reads at most around what is asked for (Linux's read-ahead)


@dataclass(frozen=True)
class Step:
    """What one step of one rank costs: FLOPs for each image of its part, operations on tensors, messages and
    their bytes; and what a checkpoint takes on disk."""

    parameters: int
    flops: float
    operations: int
    messages: int
    message_bytes: int
    checkpoint_bytes: int


class Operations(TorchDispatchMode):
    """Counts the operations on tensors: as many kernels, or nearly, are launched on a GPU."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += not func.is_view
        return func(*args, **kwargs or {})


@contextmanager
def pretended(seen: list[int]) -> Iterator[None]:
    """Inside, this process takes itself for one of two, and what it would say to the other is only noted."""

    def note(tensor: Tensor, group: object = None) -> None:
        seen.append(tensor.numel() * tensor.element_size())

    here = ranks._Here(ranks.Place(0, 2, 0, 2))
    with patch.object(ranks, "_here", here), patch.object(reduction, "add_up", note):
        yield


def counted(experiment: Experiment, shape: tuple[int, int, int]) -> Step:
    part = 16  # images: but for the FLOPs all is the same for more
    pixels = np.random.default_rng(0).integers(0, 256, (2 * part, *shape), np.uint8)
    dataset = Dataset("noise", Images(pixels), Images(pixels[:2]))
    training = experiment.training.model_copy(update={"batch_size": 2 * part})
    experiment = experiment.model_copy(update={"training": training})
    state = build_state(experiment, build_model(experiment, shape))
    objective = build_objective(experiment.objective)
    batches, seen = make_batches(experiment, dataset, objective), list[int]()
    operations = Operations()  # type: ignore[no-untyped-call]
    with pretended(seen), operations, FlopCounterMode(display=False) as flops:
        advance(state, objective, batches, 10, 0)
    with tempfile.TemporaryDirectory() as folder:
        kept = checkpoint.save(state, Path(folder)).stat().st_size
    parameters = sum(parameter.numel() for parameter in state.model.parameters())
    # one message more asks before every step whether to stop
    return Step(
        parameters, flops.get_total_flops() / part, operations.count, len(seen) + 1, sum(seen) + 8, kept
    )


def estimate(step: Step, shape: tuple[int, int, int], gpus: int) -> str:
    """Lines of the estimate: a ring sends 2(N − 1)/N of a message over each link."""
    bandwidth, latency = LINKS[gpus]
    compute = max(step.flops * PART / SUSTAINED, step.operations * LAUNCH)
    told = step.messages * latency + 2 * (gpus - 1) / gpus * step.message_bytes / bandwidth
    rate, share = gpus * PART / (compute + told), compute / (compute + told)
    read, epoch = rate * int(np.prod(shape)) / 1e6, IMAGES / rate / 60
    around = rate * AROUND / 1e6
    return (
        f"  {gpus} GPUs, {PART} images each: compute {compute * 1e3:.1f} ms, messages {told * 1e3:.1f} ms,\n"
        f"    {rate:,.0f} images/s, {share:.0%} of {gpus} times one GPU; an epoch in {epoch:.0f} min\n"
        f"    reads {read:,.0f} MB/s by windows, up to {around:,.0f} MB/s at random, all machines together"
    )


def table() -> None:
    print(f"ESTIMATE, assuming {SUSTAINED / 1e12:.0f} TFLOP/s of a GPU, {LAUNCH * 1e6:.0f} µs an operation,")
    for gpus, (rate, latency) in LINKS.items():
        print(f"  and among {gpus} GPUs {rate / 1e9:.0f} GB/s and {latency * 1e6:.0f} µs for a message")
    for name, (experiment, shape) in CASES.items():
        step, size = counted(experiment, shape), int(np.prod(shape))
        print(f"\n{name}: {step.parameters:,} parameters, checkpoint {step.checkpoint_bytes / 1e6:.1f} MB")
        print(f"  a step: {step.flops / 1e6:,.0f} MFLOP an image, {step.operations:,} operations")
        gradients = 4 * step.parameters / 1e6
        print(f"  {step.messages} messages, {step.message_bytes / 1e6:.2f} MB; gradients {gradients:.2f} MB")
        print(f"  an image on disk {size:,} bytes, {IMAGES:,} of them {IMAGES * size / 1e9:,.0f} GB")
        for gpus in LINKS:
            print(estimate(step, shape, gpus))


def measure(steps: int, folder: Path) -> None:
    """Train the default GAN for `steps` steps, in turn: 1 and 2 processes, from memory and from shards."""
    shards = folder / "shards"
    genlab("data", "pack", "mnist", str(shards))
    rates: dict[tuple[str, int], list[float]] = {}
    for turn in range(3):
        for data in ("mnist", str(shards)):
            for devices in (1, 2):
                out = folder / f"{turn}-{Path(data).name}-{devices}"
                genlab(
                    "train", "gan", "--data", data, "--devices", str(devices), "--out", str(out),
                    "--steps", str(steps), "--set", "training.sample_every=0",
                )  # fmt: skip
                lines = map(json.loads, (out / "events.jsonl").read_text().splitlines())
                last = [line for line in lines if line["event"] == "metrics"][-1]
                rate = last["images"] / last["seconds"]
                rates.setdefault((Path(data).name, devices), []).append(rate)
                print(f"{Path(data).name:<8} processes: {devices}  {rate:,.0f} images/s", flush=True)
    print("\nmedian, least … most")
    for (data, devices), found in rates.items():
        spread = f"{statistics.median(found):,.0f}, {min(found):,.0f} … {max(found):,.0f}"
        print(f"{data:<8} processes: {devices}  {spread} images/s")


def genlab(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "genlab", *arguments], check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--measure", action="store_true", help="time this machine instead")
    parser.add_argument("--steps", type=int, default=300)
    given = parser.parse_args()
    if not given.measure:
        table()
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(given.steps, Path(folder))


if __name__ == "__main__":
    main()
