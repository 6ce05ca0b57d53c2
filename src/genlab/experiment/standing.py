"""Where a run stands: brought back from its newest checkpoint, or begun with another run's decoder."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator

from genlab.errors import UserError
from genlab.experiment import schema
from genlab.experiment.handover import Receipt, adopt, adopt_trunk, difference
from genlab.experiment.inheriting import begins_with_encoder
from genlab.experiment.process import machine
from genlab.experiment.trained import open_run, read_prior
from genlab.runs.events import Adopted, Event, Saved, Started, Warned
from genlab.runs.store import Run, find_run
from genlab.training import checkpoint
from genlab.training.best import NAME, best_of, settle
from genlab.training.state import State


def prepare(run: Run, experiment: schema.Experiment, state: State) -> Iterator[Event]:
    """Bring `state` to the newest whole checkpoint, or to the decoder that the run starts from. What was
    found damaged is set aside, and said."""
    restored, damaged = restore(run, state)
    checkpoint.prune(run.checkpoints)
    lines = run.rewind(state.step)
    yield Started(state.step, experiment.training.steps, time.time(), machine())
    so = "the newest checkpoint that is whole takes its place" if restored else "training begins anew"
    yield from (found_damaged(state.step, name, so) for name in damaged)
    if lines:
        yield found_damaged(state.step, lines, "they are missing from the log")
    if experiment.start is not None and state.step == 0 and not (restored and run.receipt()):
        receipt = take_over(run, experiment, state).as_dict()
        if run.receipt() is None:  # else it was handed over before, and no checkpoint since is whole
            yield Adopted(0, receipt)
    for path in checkpoint.list_checkpoints(run.checkpoints)[-1:]:
        saved = Saved(state.step, path.relative_to(run.path).as_posix())
        if saved not in run.events():  # the hand-over's, or a crash came between a file and its event
            yield saved


def settled(run: Run, state: State, metric: str | None) -> Iterator[Event]:
    """Let the best checkpoint be what the events say, and the events say so."""
    best, found = best_of(run.events(), metric), checkpoint.list_checkpoints(run.checkpoints)
    settle(run.checkpoints, best, found[-1] if found else None)
    saved = Saved(best.step, f"checkpoints/{NAME}")
    if best.step and best.step == state.step and saved not in run.events():
        yield saved


def restore(run: Run, state: State) -> tuple[bool, list[str]]:
    """Load the newest checkpoint that is whole. Returns whether there was one; and what was damaged, which is
    set aside, by what it is called then."""
    damaged: list[str] = []
    for path in reversed(checkpoint.list_checkpoints(run.checkpoints)):
        try:
            checkpoint.verify(path)
        except UserError:
            for file in (path, path.with_suffix(".json")):
                file.replace(file.with_name(f"damaged-{file.name}"))
            damaged.append(f"checkpoints/damaged-{path.name}")
            continue
        checkpoint.load(state, path)
        return True, damaged
    return False, damaged


def found_damaged(step: int, what: str, so: str) -> Warned:
    """The warning that a file of the run was found damaged, and lies aside as `what`."""
    return Warned(
        step, "storage", f"a part of the run was damaged, and {so}; it was set aside as {what}",
        "look at the disk it lies on, and keep a copy of the run elsewhere",
    )  # fmt: skip


def take_over(run: Run, experiment: schema.Experiment, state: State) -> Receipt:
    """Copy the decoder of the run that this one starts from, save, read back, and compare once more."""
    assert experiment.start is not None
    source_run = find_run(experiment.start)
    source = open_run(source_run)
    own = experiment.network.prior.kind == source.experiment.network.prior.kind
    prior = source.model.prior if own else read_prior(source_run)
    state.model.prior.load_state_dict(prior.state_dict())  # type: ignore[attr-defined]
    source.model.to(experiment.training.device)
    receipt = adopt(state.model, source.model, source_run.name, "averaged").as_dict()
    if begins_with_encoder(experiment):
        receipt |= adopt_trunk(state.model, source.model, source_run.name)
    state.averaged.model.load_state_dict(copy.deepcopy(state.model.state_dict()), strict=True)
    path = checkpoint.save(state, run.checkpoints)
    reloaded = copy.deepcopy(state.model)
    checkpoint.load_model(reloaded, path)
    final = {**receipt, "reloaded_difference": difference(reloaded, source.model)}
    return Receipt(**final)  # type: ignore[arg-type]
