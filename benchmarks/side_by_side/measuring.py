"""Pair after pair, each measurement in a process of its own and written down as it comes. Without torch: a
process that has loaded it bound would hand its one core on to all that it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from genlab.errors import UserError
from genlab.runs.files import read_json, write_json
from side_by_side.catalogue import NETWORKS
from side_by_side.environment import peers_python
from side_by_side.ratios import Measurement, chosen
from side_by_side.settings import environment

STARTUP = 7.0  # seconds of a child beside its own clock, before any was seen
LONGEST = 900.0  # seconds of a child beside its own clock, after which something is wrong
SPIN = """import os, sys
while os.getppid() == int(sys.argv[1]):
    for _ in range(10**6): pass
"""


class Terms(NamedTuple):
    """What two measurements must share to be one benchmark's. Which code was measured is told by genlab's
    version alone: within a version, measure again after a change that matters (--fresh)."""

    seconds: float
    threads: int
    busy: bool
    genlab: str
    torch: str

    @classmethod
    def here(cls, seconds: float, threads: int, busy: bool) -> Terms:
        return cls(seconds, threads, busy, version("genlab"), version("torch"))


class Pair(NamedTuple):
    """Measurements that belong side by side: the GEMM peak, then the sides in their order."""

    network: str
    setting: str
    pair: int
    batch: int
    sides: tuple[str, ...]

    @property
    def keys(self) -> dict[str, Any]:
        return {
            "network": self.network, "setting": self.setting, "pair": self.pair, "batch": self.batch
        }  # fmt: skip


def planned(
    networks: list[str], settings: list[str], pairs: int, batch: int | None, compiled: bool
) -> list[Pair]:
    """Every network and setting once, then all again: what the machine does meanwhile meets them all alike.
    Every other time what comes first comes last."""
    plan = []
    for number in range(pairs):
        turn = -1 if number % 2 else 1
        for name in networks:
            network = NETWORKS[name]
            sides = ["peer"] * bool(network.peer) + ["ours"] + ["compiled"] * compiled
            for setting in settings[::turn]:
                plan.append(
                    Pair(name, setting, number, batch or network.batch, ("gemm", *sides[::turn]))
                )  # fmt: skip
    return plan


class Record:
    """The measurements, in a file that is replaced at each; without a path, in memory."""

    def __init__(self, path: Path | None, terms: Terms, machine: dict[str, Any]) -> None:
        self.path, self.terms, self.machine = path, terms, machine
        self.rows: list[Measurement] = []
        if path is not None and path.exists():
            found = read_json(path)
            if not isinstance(found, dict) or not isinstance(found.get("measurements"), list):
                raise UserError(f"{path} holds no measurements of this benchmark; name another with --json")
            self.rows = found["measurements"]

    @property
    def ours(self) -> list[Measurement]:
        """Those on the terms at hand."""
        return chosen(self.rows, **self.terms._asdict())

    def of(self, pair: Pair) -> list[Measurement]:
        return chosen(self.ours, **pair.keys)

    def has(self, pair: Pair) -> bool:
        return {row["side"] for row in self.of(pair)} >= set(pair.sides)

    def forget(self, pair: Pair) -> None:
        stale = self.of(pair)
        self.rows = [row for row in self.rows if row not in stale]

    def add(self, pair: Pair, side: str, found: dict[str, Any]) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%S")
        self.rows.append({**self.terms._asdict(), **pair.keys, "side": side, "at": at, **found})
        if self.path is not None:
            write_json(self.path, {"machine": self.machine, "measurements": self.rows})


Measure = Callable[[Pair, str, Terms], dict[str, Any]]


def measure(pair: Pair, side: str, terms: Terms) -> dict[str, Any]:
    """One child, from its start to its result."""
    packaged = side == "peer" and NETWORKS[pair.network].package
    python = str(peers_python()) if packaged else sys.executable
    what = ["gemm"] if side == "gemm" else [pair.network, side, f"--batch={pair.batch}"]
    command = [python, "-m", "side_by_side.child", *what]
    command += [f"--seconds={terms.seconds}", f"--threads={terms.threads}"]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as complaints, beside(terms.busy):
        process = subprocess.Popen(
            command, env=environment(pair.setting), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=complaints, encoding="utf-8",
        )  # fmt: skip
        try:
            printed, _ = process.communicate(timeout=LONGEST + 20 * terms.seconds)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        complaints.seek(0)
        last = complaints.read().strip().rsplit("\n", 1)[-1]
    if process.returncode != 0:
        name = "the GEMM peak" if side == "gemm" else f"{pair.network}, {side},"
        raise UserError(f"{name} could not be measured: {last or f'exit code {process.returncode}'}")
    return checked(pair, side, terms, json.loads(printed.rstrip().rsplit("\n", 1)[-1]))


def checked(pair: Pair, side: str, terms: Terms, found: dict[str, Any]) -> dict[str, Any]:
    """Both sides run the same torch, and networks of one size, which is the published one."""
    theirs = str(found.pop("torch"))
    if theirs.split("+")[0] != terms.torch.split("+")[0]:
        raise UserError(
            f"{pair.network}, {side}, ran torch {theirs} beside our {terms.torch}; "
            "delete .venv-peers, and start again"
        )
    published = NETWORKS[pair.network].parameters
    if side != "gemm" and published:
        assert found["parameters"] == published, (pair.network, side, found["parameters"], published)
    return found


@contextmanager
def beside(busy: bool) -> Iterator[None]:
    """Inside, if `busy`, a foreign process keeps one core at work. It ends with this one, however that
    ends."""
    if not busy:
        yield
        return
    spinning = subprocess.Popen([sys.executable, "-c", SPIN, str(os.getpid())], stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        spinning.kill()
        spinning.wait()


def run(
    plan: list[Pair], record: Record, say: Callable[[str], None] = print, measuring: Measure = measure
) -> None:
    """Measure what `record` does not have yet of `plan`, pair by pair."""
    missing = [pair for pair in plan if not record.has(pair)]
    if measuring is measure and any(NETWORKS[pair.network].package for pair in missing):
        peers_python()  # now, not between two measurements
    if len(missing) < len(plan):
        say(f"{len(plan) - len(missing)} of {len(plan)} pairs are in {record.path} already")
    spent: dict[tuple[str, str], float] = {}
    for number, pair in enumerate(missing):
        began = time.monotonic()
        record.forget(pair)  # what a broken-off run left of it: its sides would not stand side by side
        for side in pair.sides:
            record.add(pair, side, measuring(pair, side, record.terms))
        spent[pair.network, pair.setting] = time.monotonic() - began
        rest = missing[number + 1 :]
        done = len(plan) - len(rest)
        say(f"[{done}/{len(plan)}] {line(pair, record.of(pair))}; {left(rest, spent, record.terms.seconds)}")


def line(pair: Pair, rows: list[Measurement]) -> str:
    """One pair in words."""
    rates = {row["side"]: row["images_per_second"] for row in rows if row["side"] != "gemm"}
    words = ", ".join(f"{side} {rate:,.0f}" for side, rate in rates.items())
    if "peer" in rates:
        words += f" images/s, {rates['ours'] / rates['peer']:.2f}×"
    peak = next(row["gflops"] for row in rows if row["side"] == "gemm")
    return f"{pair.network}, {pair.setting}, pair {pair.pair + 1}: {words}; peak {peak:.0f} GFLOP/s"


def left(rest: list[Pair], spent: dict[tuple[str, str], float], seconds: float) -> str:
    """The time for the pairs of `rest`, each like the last of its kind."""
    if not rest:
        return "done"

    def of(pair: Pair) -> float:
        guess = len(pair.sides) * STARTUP + (len(pair.sides) - 1) * 1.2 * seconds
        return spent.get((pair.network, pair.setting), guess)

    total = sum(of(pair) for pair in rest)
    return f"about {total / 60:.0f} min left" if total >= 90 else f"about {total:.0f} s left"
