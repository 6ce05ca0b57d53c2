"""Ours beside its peers: the same network in their training loop and in ours, pair by pair.

    genlab bench peers                                    all of it, about an hour
    genlab bench peers --networks examples-vae --compile
    genlab bench peers --busy                             beside a foreign process that keeps a core at work
    genlab bench peers --figure docs/images/peers.svg     and draw the ratios

Each measurement is a process of its own that warms up, then trains for --seconds; before each pair the GEMM
peak is taken. pythae is installed into .venv-peers; the others are written after their published source.
Begun again, the benchmark goes on where it stopped, as long as seconds, threads, genlab's version and torch's
are the same (not the sources: after a change within a version, say --fresh). Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
from pathlib import Path
from typing import Any

from side_by_side.catalogue import NETWORKS, SETTINGS
from side_by_side.figure import figure
from side_by_side.measuring import Record, Terms, planned, run
from side_by_side.table import text

from genlab.errors import UserError
from genlab.experiment.process import processor
from genlab.runs.store import runs_root


def machine() -> dict[str, Any]:
    return {
        "cpu": processor(), "cores": os.cpu_count(), "system": platform.system(),
        "python": platform.python_version(),
    }  # fmt: skip


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="genlab bench peers", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="of training in each measurement")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), metavar="NAME",
                        help=f"of {', '.join(NETWORKS)}")  # fmt: skip
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS), metavar="NAME",
                        help="ours, plain, or both")  # fmt: skip
    parser.add_argument("--compile", action="store_true", help="ours with torch.compile as well")
    parser.add_argument("--batch", type=int, help="images a step, in place of the published number")
    parser.add_argument("--threads", type=int, default=2, help="of both sides")
    parser.add_argument("--busy", action="store_true", help="beside one foreign busy core")
    parser.add_argument("--json", type=Path, default=runs_root() / "peers.json", help="every measurement")
    parser.add_argument("--figure", type=Path, help="draw the ratios as an SVG")
    parser.add_argument("--fresh", action="store_true", help="measure again what the JSON has")
    chosen = parser.parse_args()
    for name in ("pairs", "seconds", "threads"):
        if getattr(chosen, name) <= 0:
            parser.error(f"--{name} must be above 0")
    return chosen


def main() -> None:
    chosen = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    terms = Terms.here(chosen.seconds, chosen.threads, chosen.busy)
    try:
        record = Record(chosen.json, terms, machine())
        plan = planned(chosen.networks, chosen.settings, chosen.pairs, chosen.batch, chosen.compile)
        for pair in plan if chosen.fresh else []:
            record.forget(pair)
        run(plan, record, lambda line: print(line, flush=True))
    except UserError as error:
        raise SystemExit(f"genlab bench peers: {error}") from None
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes on from {chosen.json}")
        raise SystemExit(130) from None
    rows = [row for pair in plan for row in record.of(pair)]
    print("\n" + text(rows, record.machine))
    if chosen.figure:
        chosen.figure.parent.mkdir(parents=True, exist_ok=True)
        chosen.figure.write_text(figure(rows), encoding="utf-8")
        print(f"drew {chosen.figure}")


if __name__ == "__main__":
    main()
