"""Where threads sit and how they wait for each other: a training alone, and beside programs that are busy.

    genlab bench threads                         about 12 minutes
    genlab bench threads --busy 0 1 --networks recipe-gan

Each measurement is a process of its own, as `genlab bench peers` makes them, with two threads on two cores;
"busy" are foreign processes that each keep a core at work. The settings take turns within a round; a number
is a median over rounds. OpenMP reads them once, before anything is computed: what a command sets for itself
(`genlab doctor` shows it) is chosen by this.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from side_by_side.catalogue import NETWORKS
from side_by_side.measuring import beside
from side_by_side.settings import environment

from genlab.runs.files import write_json
from genlab.runs.store import runs_root

BOUND = {"OMP_PROC_BIND": "true"}
FREE = {"OMP_PROC_BIND": "false"}
WAITS: dict[str, dict[str, str]] = {
    "free": FREE,
    "free, spin 10⁵": {**FREE, "GOMP_SPINCOUNT": "100000"},
    "free, spin 10⁴": {**FREE, "GOMP_SPINCOUNT": "10000"},
    "free, sleep": {**FREE, "OMP_WAIT_POLICY": "PASSIVE"},
    "bound": BOUND,
    "bound, spin 10⁵": {**BOUND, "GOMP_SPINCOUNT": "100000"},
    "bound, spin 10⁴": {**BOUND, "GOMP_SPINCOUNT": "10000"},
    "bound, sleep": {**BOUND, "OMP_WAIT_POLICY": "PASSIVE"},
}


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Inside, so many foreign processes keep a core each at work."""
    with ExitStack() as stack:
        for _ in range(processes):
            stack.enter_context(beside(True))
        yield


def measured(network: str, setting: dict[str, str], processes: int, seconds: float) -> float:
    """Images a second of our side."""
    command = [sys.executable, "-m", "side_by_side.child", network, "ours", f"--seconds={seconds}"]
    with busy(processes):
        found = subprocess.run(
            command, env={**environment(), **setting}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            check=True, encoding="utf-8",
        )  # fmt: skip
    return float(json.loads(found.stdout.rstrip().rsplit("\n", 1)[-1])["images_per_second"])


def medians(rows: Sequence[dict[str, Any]]) -> tuple[list[tuple[str, int]], dict[str, list[str]]]:
    """(network, number of busy programs) of each column, and for each setting the median over rounds in each
    of them: images a second, in words."""
    columns = list(dict.fromkeys((row["network"], row["busy"]) for row in rows))
    lines: dict[str, list[str]] = {}
    for name in dict.fromkeys(row["setting"] for row in rows):
        for network, count in columns:
            at = {"setting": name, "network": network, "busy": count}
            rates = [row["rate"] for row in rows if at.items() <= row.items()]
            lines.setdefault(name, []).append(f"{statistics.median(rates):,.0f}" if rates else "–")
    return columns, lines


def table(rows: Sequence[dict[str, Any]]) -> str:
    """A line a setting, a column for each network and number of busy programs."""
    columns, medians_of = medians(rows)
    heads = [f"{network.removeprefix('recipe-')}, {count} busy" for network, count in columns]
    lines = ["images/s", f"{'':<18}" + "".join(f"{head:>15}" for head in heads)]
    lines += [f"{name:<18}" + "".join(f"{cell:>15}" for cell in cells) for name, cells in medians_of.items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="genlab bench threads", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, 2], help="foreign busy programs")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=["recipe-vae", "recipe-gan"],
                        metavar="NAME")  # fmt: skip
    parser.add_argument("--json", type=Path, default=runs_root() / "threads.json")
    chosen = parser.parse_args()
    if (os.cpu_count() or 1) != 2:
        print(f"this machine has {os.cpu_count()} cores: the settings are chosen for two")
    rows: list[dict[str, Any]] = []
    for number in range(chosen.rounds):
        for count in chosen.busy:
            for network in chosen.networks:
                for name, setting in WAITS.items():
                    rate = measured(network, setting, count, chosen.seconds)
                    rows.append(
                        {"round": number, "busy": count, "network": network, "setting": name, "rate": rate}
                    )
                    print(f"round {number + 1}, {count} busy, {network}, {name}: {rate:,.0f}", flush=True)
                    chosen.json.parent.mkdir(parents=True, exist_ok=True)
                    write_json(chosen.json, rows)
    print("\n" + table(rows))


if __name__ == "__main__":
    main()
