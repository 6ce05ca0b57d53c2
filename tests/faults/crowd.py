"""A class at the app while it trains: so many browsers' pages, some of them looking at the training."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from genlab.cli.bring import free_port
from genlab.runs.store import Run

from app_browser import Visitor, chromium, server  # isort: skip

RUN = "001-vae-mnist"
PLACES = (f"train?run={RUN}", "", f"train?run={RUN}", "runs", "generate", "explore", "reconstruct", "data")
WATCHED = 20.0  # seconds over which the training's pace is taken


class Crowd(NamedTuple):
    """What came of `pages` pages: complaints of theirs; seconds until one more was there; what the server
    weighs, MiB; and the training's pace, as a share of what it was beforehand."""

    pages: int
    complaints: list[str]
    one_more: float
    weight: float
    pace: float


def crowd(folder: Path, count: int) -> Crowd:
    run = Run(folder / "runs" / RUN)
    port = free_port(8800)
    training = subprocess.Popen(
        [sys.executable, "-m", "genlab", "train", "vae", "--steps", "10000000", "--out", str(run.path)],
        stdout=subprocess.DEVNULL,
    )
    try:
        until_it_trains(run)
        alone = pace(run)
        with server(folder, port) as process, chromium() as browser:
            visitors = []
            for number in range(count):
                visitors.append(Visitor(browser, port, "light", folder))
                visitors[-1].visit(PLACES[number % len(PLACES)])
            for visitor in visitors:
                visitor.page.get_by_test_id("stHeading").first.wait_for()
            together = pace(run)
            began = time.perf_counter()
            last = Visitor(browser, port, "light", folder)
            last.visit("runs")
            last.page.get_by_role("heading", name="Runs", exact=True).wait_for()
            one_more = time.perf_counter() - began
            complaints = [words for visitor in (*visitors, last) for words in found(visitor)]
            weight = psutil.Process(process.pid).memory_info().rss / 2**20
            alive = process.poll() is None
    finally:
        training.terminate()
        training.wait(60)
    complaints += [] if alive else ["the server has ended"]
    complaints += [] if run.status()["state"] == "stopped" else [f"the run is {run.status()['state']}"]
    return Crowd(count, complaints, one_more, weight, together / alone)


def found(visitor: Visitor) -> list[str]:
    wrong = visitor.page.get_by_test_id("stException").count()
    return [*visitor.complaints, *(["an exception on the page"] if wrong else [])]


def until_it_trains(run: Run) -> None:
    deadline = time.monotonic() + 120
    while not (run.path / "config.json").exists() or run.status()["step"] < 100:
        assert time.monotonic() < deadline, "it does not train"
        time.sleep(0.2)


def pace(run: Run) -> float:
    """Its steps a second, from now on."""
    before, began = run.status()["step"], time.monotonic()
    time.sleep(WATCHED)
    return float(run.status()["step"] - before) / (time.monotonic() - began)


def table(folder: Path, count: int, seed: int) -> tuple[list[str], int]:
    """In Markdown; and how many complaints there were."""
    end = crowd(folder, count)
    for words in end.complaints:
        print(words, file=sys.stderr, flush=True)
    lines = [
        "| pages open | complaints | one more is there after | the server weighs | the training's pace |",
        "|---" * 5 + "|",
        f"| {end.pages} | {len(end.complaints)} | {end.one_more:.1f} s | {end.weight:.0f} MiB | "
        f"{100 * end.pace:.0f} % of its pace alone |",
    ]
    return lines, len(end.complaints)
