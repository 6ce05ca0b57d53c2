"""Where a step's time goes: each convolution and matrix product alone, against the peak, and what is left.

    genlab bench layers                                  our default recipes
    genlab bench layers --networks examples-vae --rows 12

Every convolution and product that one step makes, forward and backward, is called again alone on numbers of
the same shape and layout; the fastest half counts. What they leave of the step is everything else: norms,
activations, losses, Adam, averages, gathering images, Python. FLOPs are torch's count; a convolution may run
above the GEMM peak by it, where the library computes it with fewer multiplications (Winograd's algorithm, up
to 2.25 times fewer for 3×3). Run it alone on the machine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from genlab import beforehand

beforehand.prepare()

import torch  # noqa: E402  (after the settings that must stand before it)
from side_by_side.catalogue import NETWORKS  # noqa: E402
from side_by_side.child import gemm_peak  # noqa: E402
from side_by_side.ours import ours  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_map  # noqa: E402
from torch.utils.flop_counter import flop_registry  # noqa: E402

from genlab.runs.files import write_json  # noqa: E402

STEPS, TIMES = 60, 40


class Laid(NamedTuple):
    """A tensor's shape and strides: all that a product's speed depends on."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def random(self) -> Tensor:
        reach = 1 + sum((size - 1) * step for size, step in zip(self.shape, self.stride, strict=True))
        return torch.randn(reach).as_strided(self.shape, self.stride)  # rows may share memory


class Products(TorchDispatchMode):
    """Notes every operation that torch counts FLOPs of, with the layout of its arguments."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: Counter[tuple[Any, str]] = Counter()
        self.arguments: dict[tuple[Any, str], tuple[Any, Any]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func._overloadpacket in flop_registry:
            laid = tree_map(_layout, (args, kwargs or {}))
            key = (func, repr(laid))
            self.calls[key] += 1
            self.arguments[key] = laid
        return func(*args, **(kwargs or {}))


def _layout(value: Any) -> Any:
    return Laid(tuple(value.shape), tuple(value.stride())) if isinstance(value, Tensor) else value


def alone(func: Any, laid: tuple[Any, Any]) -> tuple[float, int]:
    """Seconds of one call by itself, and its FLOPs."""
    args, kwargs = _random(laid)
    out = func(*args, **kwargs)
    flops = flop_registry[func._overloadpacket](*args, **kwargs, out_val=out)
    durations = []
    for _ in range(TIMES):
        began = time.perf_counter()
        func(*args, **kwargs)
        durations.append(time.perf_counter() - began)
    return statistics.median(sorted(durations)[: TIMES // 2]), int(flops)


def _random(laid: Any) -> Any:
    """The same structure, random numbers in every tensor's place."""
    if isinstance(laid, Laid):
        return laid.random()
    if isinstance(laid, dict):
        return {key: _random(value) for key, value in laid.items()}
    if isinstance(laid, list | tuple):
        return type(laid)(_random(value) for value in laid)
    return laid


def measured(network: str, batch: int) -> dict[str, Any]:
    """The step, its products one by one, and the peak."""
    side, _ = ours(network, batch)
    for _ in range(STEPS // 2):
        next(side.steps)
    durations = []
    for _ in range(STEPS):
        began = time.perf_counter()
        next(side.steps)
        durations.append(time.perf_counter() - began)
    seen = Products()
    with seen:
        next(side.steps)
    rows = []
    for key, calls in seen.calls.items():
        func, laid = key[0], seen.arguments[key]
        seconds, flops = alone(func, laid)
        shapes = [" × ".join(map(str, each.shape)) for each in laid[0] if isinstance(each, Laid)]
        rows.append(
            {
                "operation": func._overloadpacket.__name__, "shapes": shapes, "calls": calls,
                "seconds": calls * seconds, "flops": calls * flops,
            }
        )  # fmt: skip
    rows.sort(key=lambda row: -row["seconds"])
    return {
        "network": network, "batch": batch, "step": statistics.median(durations), "peak": gemm_peak(),
        "products": rows,
    }  # fmt: skip


def table(found: dict[str, Any], most: int) -> str:
    step, peak, rows = found["step"], found["peak"], found["products"]
    products, flops = sum(row["seconds"] for row in rows), sum(row["flops"] for row in rows)
    lines = [
        f"\n{NETWORKS[found['network']].label}, batch {found['batch']}: {1e3 * step:.2f} ms a step, "
        f"{flops / step / 1e9:.0f} GFLOP/s, {flops / step / 1e9 / peak:.0%} of the peak of {peak:.0f}",
        f"{'of the step':>11}  {'GFLOP/s':>8}  {'of peak':>8}  calls  operation",
    ]
    for row in rows[:most]:
        rate = row["flops"] / row["seconds"] / 1e9
        lines.append(
            f"{row['seconds'] / step:>11.1%}  {rate:>8.0f}  {rate / peak:>8.0%}  {row['calls']:>5}  "
            f"{row['operation']}  {', '.join(row['shapes'])}"
        )
    rest = rows[most:]
    if rest:
        lines.append(f"{sum(row['seconds'] for row in rest) / step:>11.1%}  the other {len(rest)} products")
    lines.append(
        f"{products / step:>11.1%}  all products, at {flops / products / 1e9 / peak:.0%} of the peak"
    )
    lines.append(f"{1 - products / step:>11.1%}  everything else")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="genlab bench layers", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=["recipe-vae", "recipe-gan"],
                        metavar="NAME", help=f"of {', '.join(NETWORKS)}")  # fmt: skip
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rows", type=int, default=8, help="products that are listed")
    parser.add_argument("--json", type=Path, help="where everything is kept")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    found = []
    for network in chosen.networks:
        found.append(measured(network, NETWORKS[network].batch))
        print(table(found[-1], chosen.rows), flush=True)
    if chosen.json:
        write_json(chosen.json, found)


if __name__ == "__main__":
    main()
