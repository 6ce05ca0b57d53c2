"""The loop. It knows no family: an objective yields updates, each moves one part, and that is all."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from genlab.data.batches import Source, to_uint8
from genlab.devices import kind
from genlab.networks.model import GAN
from genlab.objectives.base import Objective
from genlab.randomness import generator
from genlab.ranks import shared
from genlab.reduction import mean, means
from genlab.runs.events import Changed, Event, Finished, Metrics, Samples, Saved, Validated
from genlab.runs.sheets import write_sheet
from genlab.training import checkpoint
from genlab.training.best import Best, best_of, keep_best
from genlab.training.changes import Changes
from genlab.training.detectors import Watch
from genlab.training.ema import tensors
from genlab.training.finite import Diverged as Diverged
from genlab.training.state import Model, State
from genlab.training.teaching import Lesson

EARLY = (10, 30, 100)  # steps that are looked at besides the regular ones: the fastest change is here


@dataclass(frozen=True)
class Cadence:
    """Every how many steps something happens besides learning; 0 for never."""

    log: int = 20
    samples: int = 200
    checkpoint: int = 500
    validate: int = 0

    def logs(self, step: int, steps: int) -> bool:
        return self.due(self.log, step, steps) or step <= EARLY[0]

    def draws(self, step: int, steps: int) -> bool:
        return self.due(self.samples, step, steps) or (self.samples > 0 and step in EARLY)

    def due(self, every: int, step: int, steps: int) -> bool:
        return every > 0 and (step % every == 0 or step == steps)

    def looks(self, step: int, steps: int) -> bool:
        """Whether anything but learning happens after `step`."""
        return (
            self.logs(step, steps)
            or self.draws(step, steps)
            or self.due(self.checkpoint, step, steps)
            or self.due(self.validate, step, steps)
        )


class Sheet(NamedTuple):
    """One picture of the model's progress: pixels (N, C, H, W) uint8, drawn in `columns` columns."""

    content: str
    pixels: NDArray[np.uint8]
    columns: int


class Sheets:
    """The same latents and the same test images throughout, so that what moves on the sheets is learning."""

    def __init__(
        self, model: Model, tests: torch.Tensor, seed: int, count: int = 64, columns: int = 8
    ) -> None:
        self.latents = model.latents(count, generator(seed, "sheet"))
        self.tests, self.columns = tests[: 4 * columns], columns

    @torch.inference_mode()
    def __call__(self, model: Model) -> Iterator[Sheet]:
        yield Sheet("samples", to_uint8(model.decode(self.latents)).cpu().numpy(), self.columns)
        if not isinstance(model, GAN):
            pairs = torch.stack([self.tests, model.reconstruct(self.tests)], dim=1).flatten(0, 1)
            yield Sheet("reconstructions", to_uint8(pairs).cpu().numpy(), 2 * self.columns)


def never() -> bool:
    return False


def fit(
    state: State,
    objective: Objective,
    batches: Source,
    steps: int,
    seed: int,
    *,
    cadence: Cadence = Cadence(),
    sheets: Sheets | None = None,
    folder: Path | None = None,
    validate: Callable[[Model], dict[str, float]] | None = None,
    best: str | None = None,
    history: Iterable[Event] = (),
    interrupted: Callable[[], bool] = never,
    changes: Changes | None = None,
    lesson: Lesson | None = None,
) -> Iterator[Event]:
    """Advance `state` to `steps` steps, yielding what happens. Files go to `folder`, each before its event;
    without one, only numbers are yielded. `validate` measures the averaged weights; the checkpoint with the
    smallest value called `best` is kept apart. `history`: what the log of a resumed run already says.
    `interrupted` is asked before every step, and after it `changes`; while `lesson` is on, it has the updates
    of the step one by one.

    Raises Diverged before a step whose loss is not finite, and before weights that are not would be kept.
    """
    history, changes = list(history), changes or Changes()
    watch, leader = Watch(history), best_of(history, best)
    try:
        while state.step < steps and not interrupted():
            objective, changed = turned(objective, changes, state)
            yield from (event for event in changed if event not in history)  # which a resumed run's log has
            logs, looks = (due(state.step + 1, steps) for due in (cadence.logs, cadence.looks))
            taught = lesson if lesson and lesson.on else None
            values = advance(state, objective, batches, steps, seed, logs=logs, looks=looks, lesson=taught)
            step, seen = state.step, state.step * batches.batch_size
            if logs:
                metrics = Metrics(step, {k: float(v) for k, v in means(values).items()}, state.seconds, seen)
                yield metrics
                yield from watch.see(metrics)
            if folder and sheets and cadence.draws(step, steps):
                yield from draw(state, sheets, folder)
            better = False
            if validate and cadence.due(cadence.validate, step, steps):
                validated = measured(state, validate, seen)
                yield validated
                better = leader.take(validated)
            if folder and (better or cadence.due(cadence.checkpoint, step, steps)):
                yield keep(state, folder)
            if folder and better:
                yield keep_leader(state, leader, folder)
        state.settle()
    except Diverged:
        yield from watch.lost(state.step)
        raise
    completed = state.step >= steps
    if folder is not None and not completed and state.step > 0:
        yield keep(state, folder)
    yield Finished(state.step, "completed" if completed else "stopped", state.seconds)


def turned(objective: Objective, changes: Changes, state: State) -> tuple[Objective, list[Changed]]:
    """`state` as the changes want it that are due before its next step; the objective from then on, and what
    there is to say of it."""
    due = changes.due(state.step)
    for change in due:
        objective = changes.take(change, state, objective)
    return objective, [Changed(change.step, change.what, change.value) for change in due]


@shared()  # of several processes, each takes its part of the batch
def advance(
    state: State,
    objective: Objective,
    batches: Source,
    steps: int,
    seed: int,
    *,
    logs: bool = True,
    looks: bool = True,
    lesson: Lesson | None = None,
) -> dict[str, torch.Tensor]:
    """One step of every part. Returns what the updates log, nothing unless `logs`. With `looks` the step is
    done when this returns; without, a GPU may still be busy with it. A `lesson` says when each update is
    taken, and looks at it. Raises Diverged."""
    started = time.perf_counter()
    device = state.model.device
    if state.recorded:  # what the last step left in its graphs' memory may be overwritten
        torch.compiler.cudagraph_mark_step_begin()
    batch = batches(state.step)
    rng = generator(seed, "noise", state.step, device if kind(device.type).draws else "cpu")
    logged: dict[str, torch.Tensor] = {}
    if not state.model.training:  # a walk through all modules, which small networks feel
        state.model.train()
    updates = objective.updates(state.model, batch, rng)
    for update in lesson.watch(updates, batch, objective.batches_per_step, steps) if lesson else updates:
        joint = mean(update.loss.detach())  # so that all ranks judge alike
        state.finite.take(update.part, joint, state.step)
        if logs:
            logged |= update.logged()
        state.optimizers[update.part].descend(update.loss, state.step, steps, state.finite.broken)
    state.step += 1
    state.averaged.update(state.step, state.finite.broken)
    if looks or lesson:
        state.settle()
    state.seconds += time.perf_counter() - started - (lesson.waited if lesson else 0.0)
    return logged


def draw(state: State, sheets: Sheets, folder: Path) -> Iterator[Samples]:
    for content, pixels, columns in sheets(state.averaged.model):  # type: ignore[arg-type]
        path = f"samples/{content}-{state.step:07d}.png"
        write_sheet(folder / path, pixels, columns, scale=2)
        yield Samples(state.step, content, path)


def measured(state: State, validate: Callable[[Model], dict[str, float]], images: int) -> Validated:
    """What `validate` says of the averaged weights. Raises Diverged where it is not finite."""
    values = validate(state.averaged.model)  # type: ignore[arg-type]
    for name, value in values.items():
        if not math.isfinite(value):
            raise Diverged(
                f"{name} of the averaged weights is {value} after step {state.step}: training diverged; "
                "try a lower learning rate",
                state.step,
            )
    return Validated(state.step, values, state.seconds, images)


def keep(state: State, folder: Path) -> Saved:
    """Raises Diverged where a finite loss had a gradient that was not: such weights are not worth keeping."""
    if not all(tensor.isfinite().all() for tensor in tensors(state.model).values()):
        raise Diverged(
            f"the weights are not finite after step {state.step}: training diverged and they were not kept; "
            "try a lower learning rate",
            state.step,
        )
    path = checkpoint.save(state, folder / "checkpoints")
    return Saved(state.step, path.relative_to(folder).as_posix())


def keep_leader(state: State, leader: Best, folder: Path) -> Saved:
    """The checkpoint just kept, kept again as the best so far."""
    newest = checkpoint.list_checkpoints(folder / "checkpoints")[-1]
    return Saved(state.step, keep_best(newest, leader).relative_to(folder).as_posix())
