"""One measurement, in a process of its own: `python -m side_by_side.child NETWORK SIDE …`; the last line that
it prints is its result as JSON. Settings are made before torch is imported, so imports stand inside."""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING, Any

from genlab import beforehand
from side_by_side.catalogue import NETWORKS

if TYPE_CHECKING:
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


def train(name: str, side: str, batch: int, seconds: float, limit: int | None) -> Meter:
    """Train `side` of the network until enough was seen."""
    from side_by_side.meter import Done, Meter

    meter = Meter(seconds, warm_up=seconds / 8)
    if side == "peer" and NETWORKS[name].package:
        from side_by_side.packaged import pythae

        try:
            pythae(name, batch, meter)
        except Done:
            return meter
        raise AssertionError("pythae ended before the clock did")
    if side == "peer":
        from side_by_side.written import WRITTEN

        chosen = WRITTEN[name](batch)
    else:
        from side_by_side.ours import compile_in_place, ours

        chosen, state = ours(name, batch, limit)
        if side == "compiled":
            meter.ready = lambda: compile_in_place(state)
    meter.parameters = chosen.parameters
    try:
        for images in chosen.steps:
            meter.step(images)
    except Done:
        pass
    return meter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=[*NETWORKS, "gemm"])
    parser.add_argument("side", choices=SIDES, nargs="?", default="ours")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int, help="our side: at most so many images")
    chosen = parser.parse_args()
    beforehand.prepare()
    import torch

    torch.set_num_threads(chosen.threads)
    if chosen.network == "gemm":
        print(json.dumps({"gflops": gemm_peak(), "torch": torch.__version__}))
        return
    batch = chosen.batch or NETWORKS[chosen.network].batch
    meter = train(chosen.network, chosen.side, batch, chosen.seconds, chosen.limit)
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
