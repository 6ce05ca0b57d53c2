"""The runs that faults are done to: one of each family, and one that begins with another's decoder."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import small

from faults.nursery import End, Nursery
from faults.sameness import differences
from genlab.experiment.runner import begin, work
from genlab.runs.store import Run

LENGTH = ("training.steps=40", "training.sample_every=7", "training.checkpoint_every=6")
CASES: dict[str, tuple[str, ...]] = {
    "vae": (),
    "gan": (),
    "vaegan": (),
    "gan from a vae": (),
    "gan, its best kept": ("training.validate_every=2",),
}


class Prepared(NamedTuple):
    """A run that has not begun, its folder to be copied, and the task that trains it; the same run, never
    touched; how many instants it had, and how many seconds it took."""

    fresh: Path
    task: str
    whole: Run
    instants: int
    seconds: float


def prepare(case: str, folder: Path, nursery: Nursery) -> Prepared:
    folder.mkdir(parents=True)
    images = small.blots(folder / "blots.npz")
    family = case.replace(",", "").partition(" ")[0]
    experiment = small.tiny(family, f"data.name={images}", *LENGTH, *CASES[case])
    if "from" in case:
        source = begin(small.tiny("vae", f"data.name={images}"), out=folder / "source")
        for _ in work(source):
            pass
        experiment = experiment.model_copy(update={"start": str(source.path)})
    fresh = begin(experiment, out=folder / "fresh")
    whole = Run(copied(fresh.path, folder / "whole").path)
    began = time.monotonic()
    task = "validated" if CASES[case] else "train"
    end = nursery.run(task, whole.path)
    assert end.how == "done", end.words
    assert (whole.checkpoints / "best.safetensors").exists() == (task == "validated")
    return Prepared(fresh.path, task, whole, end.instants, time.monotonic() - began)


def copied(path: Path, target: Path) -> Run:
    shutil.copytree(path, target)
    return Run(target)


def signalled(run: Run, prepared: Prepared, nursery: Nursery, sent: str, at: int) -> tuple[bool, list[str]]:
    """A run that was `sent` a signal at an instant, and resumed: whether it had ended with a checkpoint of
    the step that it had come to, and what was not as it should be."""
    end = nursery.run(prepared.task, run.path, at=at, sent=sent)
    status = run.status()
    cleanly = end.how == "done" and status["state"] in ("stopped", "completed")
    problems = []
    if cleanly and status["step"] and not checkpointed(run, status["step"]):
        problems.append(f"{sent} at instant {at}: no checkpoint of step {status['step']}")
    if end.how == "failed" and "KeyboardInterrupt" not in end.words:  # as before a training begins
        problems.append(f"{sent} at instant {at}: {end.words}")
    last = nursery.run(prepared.task, run.path)
    problems += [last.words] if last.how != "done" else differences(run, prepared.whole, status["step"])
    return cleanly, problems


def checkpointed(run: Run, step: int) -> bool:
    return (run.checkpoints / f"step-{step:07d}.json").exists()


class Trial(NamedTuple):
    """One run that was killed `kills` times: where, and what was not as it should be."""

    kills: int
    where: list[str]
    problems: list[str]


def trials(prepared: Prepared, nursery: Nursery, kills: int, seed: int) -> Iterator[Trial]:
    """Runs that are killed one to three times each, at instants drawn by chance, until there were `kills`
    kills in all; then they are let go to their end and held against the one that was never touched."""
    rng, done, number = random.Random(seed), 0, 0
    while done < kills:
        number += 1
        run = copied(prepared.fresh, prepared.fresh.with_name(f"killed-{seed}-{number}"))
        where: list[str] = []
        for _ in range(rng.randint(1, min(3, kills - done))):
            end, place = killed(run, prepared, nursery, rng)
            if end.how == "failed":
                yield Trial(0, [place], [f"{place}: it ended by itself: {end.words}"])
                return
            where += [place] if end.how == "killed" else []
        done += len(where)
        last = nursery.run(prepared.task, run.path)
        problems = [last.words] if last.how != "done" else differences(run, prepared.whole)
        yield Trial(len(where), where, problems)
        if not problems:
            shutil.rmtree(run.path)


def killed(run: Run, prepared: Prepared, nursery: Nursery, rng: random.Random) -> tuple[End, str]:
    """Two in three by an instant at which a file is touched, the others by the clock alone."""
    if rng.random() < 2 / 3:
        at = rng.randint(1, prepared.instants)
        return nursery.run(prepared.task, run.path, at=at), f"at instant {at}"
    after = rng.uniform(0.0, prepared.seconds)
    return nursery.run(prepared.task, run.path, after=after), f"after {after:.3f} s"
