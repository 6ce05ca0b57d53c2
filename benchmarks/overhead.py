"""What logging, checkpoints, sample sheets and averaged weights cost a default run, and the memory that it
takes.

    genlab bench overhead
    genlab bench overhead --recipes gan --rounds 20

Two trainings of one recipe take turns, block by block: one with all that a run does, into a run folder at the
default cadence, and one of bare steps without averaged weights. Their difference is what it costs; beside it
stands the time of each part taken alone, which is the steadier number. (What an objective computes in every
step only to be logged is in both: `genlab bench detectors` has it.) Memory is the peak of a whole `genlab
train` of so many steps, as the system counts it. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from side_by_side.ratios import Spread, spread
from side_by_side.settings import environment

from genlab import beforehand
from genlab.runs.files import write_json

if TYPE_CHECKING:
    from genlab.data.dataset import Dataset
    from genlab.experiment.schema import Experiment
    from genlab.objectives.base import Objective
    from genlab.runs.events import Event
    from genlab.training.state import State

GOAL, MEMORY_GOAL = 0.03, 1.5  # of a default run's time; GiB
BARE, FULL = "bare steps", "with everything"


class Full:
    """A run as `work` does it: the same parts at the same cadence, stopped between blocks."""

    def __init__(self, experiment: Experiment, dataset: Dataset, folder: Path) -> None:
        from genlab.experiment.runner import begin, cadence, known_tests, make_batches, record
        from genlab.training.fit import Sheets, fit

        self.run = begin(experiment, out=folder, dataset=dataset)
        self.state, self.objective = state_of(experiment, dataset)
        tests = known_tests(experiment, dataset, 64)
        self.sheets = Sheets(self.state.model, tests, experiment.training.seed)
        events = fit(
            self.state, self.objective, make_batches(experiment, dataset, self.objective),
            experiment.training.steps, experiment.training.seed, cadence=cadence(experiment),
            sheets=self.sheets, folder=self.run.path, interrupted=self.run.stop_requested,
        )  # fmt: skip
        self.events: Iterator[Event] = record(self.run, events)

    def block(self, steps: int) -> float:
        """Seconds for `steps` steps and what falls due meanwhile. It ends with a logged step."""
        from genlab.runs.events import Metrics

        until, began = self.state.step + steps, time.perf_counter()
        for event in self.events:
            if isinstance(event, Metrics):
                self.metrics = event
                if event.step >= until:
                    break
        return time.perf_counter() - began

    def parts(self, experiment: Experiment) -> dict[str, float]:
        """Seconds a step of each part, taken alone."""
        from genlab.training.detectors import Watch
        from genlab.training.fit import draw, keep

        state, folder, training, watch = self.state, self.run.path, experiment.training, Watch()

        def log() -> None:
            self.run.append(self.metrics)
            list(watch.see(self.metrics))

        return {
            "averaged weights": median_time(lambda: state.averaged.update(state.step), 300),
            "logging": median_time(log, 50) / training.log_every,
            "sample sheets": median_time(lambda: list(draw(state, self.sheets, folder)), 7)
            / training.sample_every,
            "checkpoints": median_time(lambda: keep(state, folder), 7) / training.checkpoint_every,
        }


class Bare:
    """Steps alone."""

    def __init__(self, experiment: Experiment, dataset: Dataset) -> None:
        from genlab.experiment.runner import make_batches

        self.state, self.objective = state_of(experiment, dataset)
        self.batches, self.training = make_batches(experiment, dataset, self.objective), experiment.training
        self.state.averaged.update = lambda step, broken=None: None  # type: ignore[method-assign]

    def block(self, steps: int) -> float:
        from genlab.training.fit import advance

        began = time.perf_counter()
        for _ in range(steps):
            advance(
                self.state, self.objective, self.batches, self.training.steps, self.training.seed,
                logs=False, looks=False,
            )  # fmt: skip
        return time.perf_counter() - began


def state_of(experiment: Experiment, dataset: Dataset) -> tuple[State, Objective]:
    from genlab.experiment.build import build_model, build_objective, build_state

    state = build_state(experiment, build_model(experiment, dataset.shape))
    return state, build_objective(experiment.objective)


def median_time(call: Callable[[], object], times: int) -> float:
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def overhead(name: str, settings: list[str], rounds: int, block: int, folder: Path) -> dict[str, Any]:
    """The two trainings, block by block after one that is thrown away; who is first changes."""
    import torch

    from genlab.experiment.runner import load_data
    from genlab.recipes import recipe

    experiment = recipe(name, *settings, f"training.steps={(rounds + 2) * block}")
    torch.set_num_threads(experiment.training.threads)
    dataset = load_data(experiment)
    arms: dict[str, Full | Bare] = {FULL: Full(experiment, dataset, folder), BARE: Bare(experiment, dataset)}
    spent: dict[str, list[float]] = {FULL: [], BARE: []}
    for number in range(rounds + 1):
        for arm in list(arms)[:: -1 if number % 2 else 1]:
            took = arms[arm].block(block)
            if number:
                spent[arm].append(took)
    full = arms[FULL]
    assert isinstance(full, Full)
    step = statistics.median(spent[BARE]) / block
    return {
        "recipe": name, "block": block, "seconds": spent, "step": step,
        "shares": {part: seconds / step for part, seconds in full.parts(experiment).items()},
    }  # fmt: skip


def cost(found: dict[str, Any]) -> Spread:
    """What everything adds to bare steps, as a fraction of these, block by block."""
    both = zip(found["seconds"][FULL], found["seconds"][BARE], strict=True)
    return spread(full / bare - 1 for full, bare in both)


def show(found: dict[str, Any]) -> str:
    each, apart = found["shares"], cost(found)
    alone = sum(each.values())
    verdict = "met" if apart.median <= GOAL else "missed"
    return (
        f"{found['recipe']}: {1e3 * found['step']:.2f} ms a bare step; everything adds {apart.median:.1%} "
        f"(quartiles {apart.lower:.1%} … {apart.upper:.1%}, {apart.values} blocks of {found['block']}); "
        f"its parts alone {alone:.1%}: "
        + ", ".join(f"{part} {share:.2%}" for part, share in each.items())
        + f"; goal ≤ {GOAL:.0%}: {verdict}"
    )


def peak_memory(name: str, settings: list[str], steps: int, folder: Path) -> float | None:
    """The largest resident size of `genlab train` in GiB. None where the system does not tell.

    A process inherits, as its own peak, what its parent held when it was started: this must come before
    torch."""
    assert "torch" not in sys.modules
    command = [sys.executable, "-m", "genlab.cli", "train", name, "--steps", str(steps), "--out", str(folder)]
    command += [word for setting in settings for word in ("--set", setting)]
    if sys.platform == "win32":
        return None
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"genlab train {name} ended with exit code {process.returncode}")
    return float(usage.ru_maxrss) * (1 if sys.platform == "darwin" else 1024) / 2**30


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="genlab bench overhead", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--recipes", nargs="+", default=["vae", "gan"], metavar="NAME")
    parser.add_argument("--rounds", type=int, default=10, help="pairs of blocks")
    parser.add_argument(
        "--block", type=int, default=500, help="steps of each; a multiple of 20, as logs come"
    )
    parser.add_argument("--memory-steps", type=int, default=600, help="of the run whose memory is measured")
    parser.add_argument("--json", type=Path, help="every single block")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE")
    chosen = parser.parse_args()
    if chosen.block < 20 or chosen.block % 20 or chosen.rounds < 1:
        parser.error("--block must be a multiple of 20, and --rounds at least 1")
    kept = []
    with tempfile.TemporaryDirectory() as temporary:
        for name in chosen.recipes:
            held = peak_memory(name, chosen.set, chosen.memory_steps, Path(temporary) / f"memory-{name}")
            if held is not None:
                verdict = "met" if held <= MEMORY_GOAL else "missed"
                goal = f"goal ≤ {MEMORY_GOAL:g} GiB: {verdict}"
                print(f"{name}: {held:.2f} GiB resident at most; {goal}", flush=True)
            kept.append({"recipe": name, "resident": held})
        beforehand.prepare()
        for each in kept:
            folder = Path(temporary) / f"run-{each['recipe']}"
            each |= overhead(each["recipe"], chosen.set, chosen.rounds, chosen.block, folder)
            print(show(each), flush=True)
    if chosen.json:
        write_json(chosen.json, kept)


if __name__ == "__main__":
    main()
