"""What grows with use: runs in a folder, lines in a log, steps of a training."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil
import small

from genlab.experiment.runner import begin, work
from genlab.runs.events import Metrics, Saved, Started, to_line
from genlab.runs.store import Run, create_run, list_runs


def many_runs(folder: Path, count: int, lines: int = 600) -> list[Run]:
    """Runs as a folder holds them after a year: a config, and a log of so many lines."""
    config = small.tiny("vae").model_dump(mode="json")
    text = long_log(lines)
    runs = [create_run("vae-mnist", config, folder / f"{number:04d}-vae-mnist") for number in range(count)]
    for run in runs:
        (run.path / "events.jsonl").write_text(text, "utf-8")
    return runs


def long_log(lines: int) -> str:
    started = to_line(Started(0, lines, 1.7e9, {"system": "Linux", "threads": 2}))
    terms = {"elbo": -101.25, "reconstruction": 81.2, "kl": 20.05, "learning_rate": 1e-3}
    return started + "".join(to_line(Metrics(n, terms, 0.01 * n, 128 * n)) for n in range(1, lines))


def time_of_command(arguments: list[str], runs: Path, times: int = 5) -> float:
    """Seconds that the whole process of a `genlab` command takes, the median."""
    environment = {**os.environ, "GENLAB_RUNS": str(runs)}
    found = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "genlab.cli", *arguments], check=True, env=environment,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def listing(runs: Path) -> float:
    """Seconds to learn the state of every run in a folder, the median of five times."""
    found = []
    for _ in range(5):
        began = time.perf_counter()
        for run in list_runs(runs):
            run.config()
            run.status()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def looks(folder: Path, lines: int) -> tuple[float, float]:
    """Seconds that a page takes to follow a log of so many lines: at first, and once it knows it and ten
    lines have come."""
    from genlab.app.following import Follower

    run = create_run("vae-mnist", small.tiny("vae").model_dump(mode="json"), folder / "long")
    (run.path / "events.jsonl").write_text(long_log(lines), "utf-8")
    follower = Follower(run.path)
    began = time.perf_counter()
    follower.read()
    first = time.perf_counter() - began
    again = []
    for number in range(20):
        for step in range(10):
            run.append(Metrics(lines + 10 * number + step, {"elbo": -100.0}, 1.0, 1))
        began = time.perf_counter()
        follower.read()
        again.append(time.perf_counter() - began)
    return first, statistics.median(again)


def memory_over(folder: Path, steps: int, every: int) -> list[tuple[int, float]]:
    """(step, MiB resident) of this process while it trains a GAN as a worker does: with its log, sheets,
    checkpoints and detectors."""
    settings = (
        f"training.steps={steps}", "training.log_every=20", "training.sample_every=2000",
        f"training.checkpoint_every={every}", f"data.name={small.blots(folder / 'blots.npz')}",
    )  # fmt: skip
    me = psutil.Process()
    return [
        (event.step, me.memory_info().rss / 2**20)
        for event in work(begin(small.tiny("gan", *settings), out=folder / "trained"))
        if isinstance(event, Saved)
    ]


def table(folder: Path, count: int, seed: int) -> tuple[list[str], int]:
    """In Markdown; and how many of the bounds were not kept."""
    lines, broken = ["| what | measured | bound |", "|---|---|---|"], 0

    def told(what: str, value: float, bound: float, unit: str) -> None:
        nonlocal broken
        broken += value > bound
        lines.append(f"| {what} | {value:.2g} {unit} | ≤ {bound:g} {unit} |")

    runs = folder / "runs"
    many_runs(runs, 1000)
    told("the state of 1 000 runs", listing(runs), 0.5, "s")
    told("`genlab runs` on them, the whole process", time_of_command(["runs", "--json"], runs), 2, "s")
    _, again = looks(folder, 1_000_000)
    told("a page's look at a log of a million lines, ten of them new", again, 1, "s")
    memory = memory_over(folder, 100_000, 10_000)
    first, last = memory[0][1], memory[-1][1]
    told("growth of memory from step 10⁴ to step 10⁵", 100 * (last - first) / first, 2, "%")
    return lines, broken
