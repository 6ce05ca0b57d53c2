"""One measurement, in a process of its own: `python -m side_by_side.child NETWORK SIDE …`; the last line that
it prints is its result as JSON. Settings are made before torch is imported, so imports stand inside."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlab import beforehand
from side_by_side.catalogue import NETWORKS

if TYPE_CHECKING:
    from side_by_side.looks import Looks
    from side_by_side.meter import Meter

SIDES = ("ours", "compiled", "peer")
GEMM_SIZES = (1024, 1536, 2048)
GEMM_SECONDS = 0.6  # for each size


def gemm_peak() -> float:
    """The fastest of many fp32 products of square matrices: GFLOP/s."""
    import torch

    best = 0.0
    for size in GEMM_SIZES:
        a, b = torch.randn(size, size), torch.randn(size, size)
        out = a @ b
        until, times = time.perf_counter() + GEMM_SECONDS, 0
        while times < 5 or time.perf_counter() < until:
            began = time.perf_counter()
            torch.mm(a, b, out=out)
            best = max(best, 2 * size**3 / (time.perf_counter() - began) / 1e9)
            times += 1
    return best


def train(
    name: str, side: str, batch: int, meter: Meter | Looks, limit: int | None = None, seed: int = 0
) -> None:
    """Train `side` of the network until enough was seen."""
    from side_by_side.looks import Looks
    from side_by_side.meter import Done

    if side == "peer" and NETWORKS[name].package:
        from side_by_side.packaged import pythae

        try:
            pythae(name, batch, meter, seed)
        except Done:
            return
        raise AssertionError("pythae ended before the clock did")
    if side == "peer":
        from side_by_side.written import WRITTEN

        chosen = WRITTEN[name](batch)
    else:
        from side_by_side.ours import compile_in_place, ours

        chosen, state = ours(name, batch, limit, seed)
        if side == "compiled":
            assert not isinstance(meter, Looks), "looks are of code as it is"
            meter.ready = lambda: compile_in_place(state)
    meter.parameters = chosen.parameters
    if isinstance(meter, Looks):
        meter.draw = chosen.draw
    try:
        for images in chosen.steps:
            meter.step(images)
    except Done:
        pass


def look(name: str, side: str, batch: int, at: list[float], folder: Path, seed: int) -> None:
    """What the network draws at each of the seconds `at`, left in `folder`."""
    import numpy as np
    import torch

    from side_by_side.looks import Looks

    torch.manual_seed(seed)
    np.random.seed(seed)
    train(name, side, batch, Looks(at, folder), seed=seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=[*NETWORKS, "gemm"])
    parser.add_argument("side", choices=SIDES, nargs="?", default="ours")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int, help="our side: at most so many images")
    parser.add_argument("--looks", type=float, nargs="+", help="seconds at which to look at what it draws …")
    parser.add_argument("--folder", type=Path, help="… and where to leave it")
    parser.add_argument("--seed", type=int, default=0, help="where --looks are asked for")
    chosen = parser.parse_args()
    beforehand.prepare()
    import torch

    torch.set_num_threads(chosen.threads)
    if chosen.network == "gemm":
        print(json.dumps({"gflops": gemm_peak(), "torch": torch.__version__}))
        return
    batch = chosen.batch or NETWORKS[chosen.network].batch
    if chosen.looks:
        look(chosen.network, chosen.side, batch, chosen.looks, chosen.folder, chosen.seed)
        return
    from side_by_side.meter import Meter

    meter = Meter(chosen.seconds, warm_up=chosen.seconds / 8)
    train(chosen.network, chosen.side, batch, meter, chosen.limit)
    rate = meter.images / meter.elapsed
    result: dict[str, Any] = {
        "images": meter.images, "steps": meter.timed_steps, "elapsed": meter.elapsed,
        "images_per_second": rate, "flops_per_image": meter.flops_per_image,
        "gflops": rate * meter.flops_per_image / 1e9, "parameters": meter.parameters,
        "torch": torch.__version__, "settings": dict(beforehand.settings()),
    }  # fmt: skip
    print(json.dumps(result))


if __name__ == "__main__":
    main()
