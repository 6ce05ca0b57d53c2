"""What others ask of the worker while it trains: to stop, to pause, to change something, to take one update.

All ranks ask at once, and rank 0 reads the requests of its run; the others hear from it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from genlab.errors import UserError
from genlab.ranks import anyone, first, leads
from genlab.runs.changes import Change
from genlab.runs.requests import check
from genlab.runs.store import Run
from genlab.training.changes import Changes
from genlab.training.state import State

POLL = 0.05  # seconds between two looks of a worker that is paused


class Asked(NamedTuple):
    """What is asked at one moment. `update`: one update, of a run that is paused."""

    stop: bool
    pause: bool
    update: bool
    changes: list[Change]


class Orders:
    """`stopped` is set where a signal came. What is to be changed goes to the run's log, and from there to
    `changes`, which the loop takes before its next step."""

    def __init__(
        self, run: Run, family: str, state: State, changes: Changes, stopped: threading.Event
    ) -> None:
        self.run, self.family, self.state = run, family, state
        self.changes, self.stopped = changes, stopped
        self.requests = run.requests
        self.paused = False
        self.single = False
        """Whether updates are taken one at a time, each when it is asked for."""

    def interrupted(self) -> bool:
        """Asked before every step: whether to end here. Returns when the step may be taken, however long the
        run is paused."""
        waiting = self.stopped.is_set() or (leads() and bool(self.requests.names()))
        if not anyone(waiting or self.paused):
            return False
        return self.wait(between_steps=True)

    def next_update(self) -> bool:
        """Asked within a step that is taken one update at a time: returns when the next may be taken, and
        whether it is again a single one."""
        self.wait(between_steps=False)
        return self.single

    def wait(self, between_steps: bool) -> bool:
        """Until the run may go on or is to end, and which. What changes is only taken between steps."""
        while True:
            asked = first(lambda: self.look(between_steps))
            for change in asked.changes:
                self.changes.add(change)
            stop = anyone(asked.stop or self.stopped.is_set())
            self.show(asked.pause and not stop)
            self.single = self.paused and asked.update
            if self.single or not self.paused:
                return stop
            time.sleep(POLL)  # not the event's own wait: a signal that sets it would wait for itself

    def look(self, between_steps: bool) -> Asked:
        """Rank 0's: what its run is asked."""
        changes = list(self.taken()) if between_steps else []
        pause = self.requests.holds("pause")
        update = self.requests.take("step")  # of a run that is not paused, it comes too late
        return Asked(self.requests.holds("stop"), pause, update, changes)

    def taken(self) -> Iterator[Change]:
        """Every change that is asked for, once it is in the run's log. One that is there already was asked
        for before a crash, which its request has outlived."""
        for asked in self.requests.changes(self.family):
            if asked.time in {change.time for change in self.run.changes()}:
                continue
            change = Change(self.state.step, asked.what, asked.value, asked.time)
            self.run.append_change(change)
            yield change

    def show(self, paused: bool) -> None:
        """Let readers see that the run is paused, or no longer."""
        if leads() and paused != self.paused:
            if paused:
                (self.run.path / "moment.json").unlink(missing_ok=True)  # of a pause before this one
            self.run.note_pause(paused)
        self.paused = paused


def past_changes(run: Run, family: str) -> list[Change]:
    """What the log of `run` says was changed. Raises UserError where it can't have been in this `family`."""
    found = run.changes()
    for change in found:
        try:
            check(change.what, change.value, family)
        except UserError as error:
            raise UserError(f"{run.path / 'changes.jsonl'}: {error}; remove that line") from error
    return found
