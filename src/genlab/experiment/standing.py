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
from genlab.runs.events import Adopted, Event, Saved, Started
from genlab.runs.store import Run, find_run
from genlab.training import checkpoint
from genlab.training.best import NAME, best_of, settle
from genlab.training.state import State


def prepare(run: Run, experiment: schema.Experiment, state: State) -> Iterator[Event]:
    """Bring `state` to the newest whole checkpoint, or to the decoder that the run starts from."""
    restore(run, state)
    run.rewind(state.step)
    yield Started(state.step, experiment.training.steps, time.time(), machine())
    if experiment.start is not None and state.step == 0 and run.receipt() is None:
        yield Adopted(0, take_over(run, experiment, state).as_dict())
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


def restore(run: Run, state: State) -> None:
    """Load the newest checkpoint that is whole, if there is one; a damaged one is set aside."""
    for path in reversed(checkpoint.list_checkpoints(run.checkpoints)):
        try:
            checkpoint.verify(path)
        except UserError:
            for file in (path, path.with_suffix(".json")):
                file.rename(file.with_name(f"damaged-{file.name}"))
            continue
        checkpoint.load(state, path)
        return


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
