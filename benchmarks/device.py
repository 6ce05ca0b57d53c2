"""Images a second of the default recipes on one device, beside what it could do: a roofline of its own GEMM
peak and memory bandwidth, both measured in the same run.

    python benchmarks/device.py --device cuda --json device.json
    genlab bench device

Every way of computing a recipe (eager or compiled, fp32 or bf16) is timed in turn, round after round, and the
medians are shown. FLOPs are those that torch counts; bytes are those of each operation's inputs and outputs,
one operation at a time. The images are noise, since a network's speed does not depend on them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from genlab.data.batches import Batches
from genlab.data.dataset import Images
from genlab.experiment.acceleration import accelerate, no_bf16, no_compiler
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.schema import Experiment
from genlab.recipes import recipe
from genlab.training.fit import advance

NETWORKS: dict[str, tuple[tuple[str, ...], tuple[int, int, int]]] = {
    "vae": (("vae",), (1, 28, 28)),
    "vae-dense": (("vae", "network.decoder.kind=mlp", "network.decoder.depth=1",
                             "network.decoder.norm=none"), (1, 28, 28)),
    "gan": (("gan",), (1, 28, 28)),
    "gan-64-colour": (("gan", "network.decoder.width=64", "network.discriminator.width=64",
                           "network.latent_dim=100"), (3, 64, 64)),
}  # fmt: skip
STORED = 4096  # images on the device


class Bytes(TorchDispatchMode):
    """Counts the bytes of the tensors that operations take and give; views move none."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if not func.is_view:
            tensors = [t for t in tree_leaves((args, kwargs, made)) if isinstance(t, Tensor)]
            self.total += sum(t.numel() * t.element_size() for t in tensors)
        return made


def wait(device: str) -> None:
    if device != "cpu":
        getattr(torch, device.partition(":")[0]).synchronize()


def seconds(run: Callable[[], Any], device: str, repeats: int) -> float:
    """The shortest of `repeats` runs: a limit of the machine is what it can do undisturbed."""
    best = float("inf")
    for _ in range(repeats):
        wait(device)
        began = time.perf_counter()
        run()
        wait(device)
        best = min(best, time.perf_counter() - began)
    return best


def limits(device: str, precision: str) -> dict[str, float]:
    """FLOP/s of a matrix product and bytes/s of a copy on `device`."""
    size = 1024 if device == "cpu" else 8192
    a = torch.ones(size, size, device=device, dtype=torch.bfloat16 if precision == "bf16" else torch.float32)
    source = torch.ones(2**26, device=device)  # 256 MB, more than any cache
    target = torch.empty_like(source)
    return {
        "flops": 2 * size**3 / seconds(lambda: a @ a, device, 20),
        "bytes": 2 * source.numel() * 4 / seconds(lambda: target.copy_(source), device, 10),
    }


class Timed:
    """One recipe computed in one way."""

    def __init__(self, name: str, device: str, precision: str, compiled: bool, threads: int) -> None:
        (base, *assignments), shape = NETWORKS[name]
        self.experiment: Experiment = recipe(
            base, *assignments, f"training.device={device}", f"training.precision={precision}",
            f"training.compile={str(compiled).lower()}", f"training.threads={threads}",
        )  # fmt: skip
        pixels = np.random.default_rng(0).integers(0, 256, (STORED, *shape), dtype=np.uint8)
        self.objective = build_objective(self.experiment.objective)
        self.state = build_state(self.experiment, build_model(self.experiment, shape))
        self.batches = Batches(Images(pixels), self.experiment.training.batch_size, 0, device)
        self.device = device

    def work(self) -> tuple[float, float]:
        """FLOPs and bytes of one eager step."""
        with FlopCounterMode(display=False) as flops, Bytes() as moved:
            self.steps(1)
        return float(flops.get_total_flops()), float(moved.total)

    def steps(self, count: int) -> None:
        for _ in range(count):
            advance(self.state, self.objective, self.batches, 10**6, 0, logs=False, looks=False)
        self.state.settle()

    def warm(self) -> None:
        accelerate(self.state, self.experiment.training)
        self.steps(5)
        wait(self.device)

    def rate(self, budget: float) -> float:
        """Images a second over `budget` seconds or a little more; the device is waited for seldom."""
        wait(self.device)
        began, done, passed = time.perf_counter(), 0, 0.0
        while passed < budget:
            self.steps(max(1, done // 2))
            done += max(1, done // 2)
            wait(self.device)
            passed = time.perf_counter() - began
        return done * self.batches.batch_size / passed


def ways(device: str) -> list[tuple[str, bool]]:
    """(precision, compiled) that make sense on `device`; bf16 on CPUs is another question."""
    precisions = ["fp32", *(["bf16"] if device != "cpu" and not no_bf16(device) else [])]
    return [
        (p, compiled) for p in precisions for compiled in ([False] if no_compiler(device) else [False, True])
    ]


def measured(name: str, device: str, rounds: int, budget: float, threads: int) -> list[dict[str, Any]]:
    """A row for each way of computing the recipe called `name`, its limits measured in the same rounds."""
    rows: list[dict[str, Any]] = []
    runs = [Timed(name, device, precision, compiled, threads) for precision, compiled in ways(device)]
    for run in runs:
        flops, moved = run.work()
        run.warm()
        chosen, batch = run.experiment.training, run.batches.batch_size
        rows.append({"network": name, "precision": chosen.precision, "compiled": chosen.compile,
                     "batch": batch, "flops": flops, "bytes": moved,
                     "rates": [], "peaks": [], "speeds": []})  # fmt: skip
    for _ in range(rounds):
        roofs = {precision: limits(device, precision) for precision in {row["precision"] for row in rows}}
        for row, run in zip(rows, runs, strict=True):
            row["rates"].append(run.rate(budget))
            row["peaks"].append(roofs[row["precision"]]["flops"])
            row["speeds"].append(roofs[row["precision"]]["bytes"])
    for row in rows:
        rate, peak, speed = (statistics.median(row[key]) for key in ("rates", "peaks", "speeds"))
        least = row["flops"] / peak, row["bytes"] / speed  # seconds a step, by arithmetic and by memory
        steps = rate / row["batch"]
        row |= {"images_per_second": rate, "peak_flops": peak, "peak_bytes": speed}
        row |= {"of_gemm_peak": least[0] * steps, "of_roofline": max(least) * steps}
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        f"{'network':<20} {'computed':<14} {'images/s':>9} {'GFLOP':>6} {'MB':>6} {'GEMM':>5} {'roof':>5}"
    ]
    for row in rows:
        way = f"{row['precision']} {'compiled' if row['compiled'] else 'eager'}"
        lines.append(
            f"{row['network']:<20} {way:<14} {row['images_per_second']:>9.0f} {row['flops'] / 1e9:>6.2f} "
            f"{row['bytes'] / 1e6:>6.0f} {row['of_gemm_peak']:>5.0%} {row['of_roofline']:>5.0%}"
        )
    first = rows[0]
    lines.append(
        f"GEMM and roof: fractions of {first['peak_flops'] / 1e9:.0f} GFLOP/s ({first['precision']}) and of "
        f"{first['peak_bytes'] / 1e9:.0f} GB/s, measured in the same run; GFLOP and MB of one step"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "networks", nargs="*", default=list(NETWORKS), metavar="NETWORK", help=", ".join(NETWORKS)
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each way and round")
    parser.add_argument("--json", type=Path, help="where to write the rows")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    rows: list[dict[str, Any]] = []
    for name in chosen.networks:
        rows += measured(name, chosen.device, chosen.rounds, chosen.seconds, chosen.threads)
        if chosen.json:
            chosen.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
