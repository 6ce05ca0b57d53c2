"""Changes to a training under way: its learning rates, and β. Each belongs to a step, so that a run that goes
on from a checkpoint takes it again where it was first taken.

Nothing of this is compiled: the rate is an argument of the optimizer's kernel, and β weighs a term outside
the networks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from genlab.objectives.base import Objective
from genlab.objectives.elbo import Elbo
from genlab.objectives.hybrid import Hybrid
from genlab.objectives.importance import ImportanceWeighted
from genlab.runs.changes import Change
from genlab.training.state import State


class Changes:
    """Those that a run has yet to take: the `past` ones, which its log has, and those that come.

    `own_rate`: whether the discriminator has a rate of its own, so that the others' leaves it alone.
    """

    def __init__(self, past: Iterable[Change] = (), own_rate: bool = False) -> None:
        self.ahead = list(past)
        self.own_rate = own_rate

    def add(self, change: Change) -> None:
        self.ahead.append(change)

    def due(self, step: int) -> list[Change]:
        """Those to be taken before the step after `step`, by their step and then as they came."""
        found = sorted((each for each in self.ahead if each.step <= step), key=lambda each: each.step)
        self.ahead = [each for each in self.ahead if each.step > step]
        return found

    def take(self, change: Change, state: State, objective: Objective) -> Objective:
        """Turn what `change` is about in `state`, and return the objective from now on."""
        if change.what == "beta":
            return weighted(objective, change.value)
        self.own_rate |= change.what == "discriminator_rate"
        for part, optimizer in state.optimizers.items():
            own = part == "discriminator" and self.own_rate
            if own == (change.what == "discriminator_rate"):
                optimizer.settings = replace(optimizer.settings, rate=change.value)
        return objective


def weighted(objective: Objective, beta: float) -> Objective:
    """`objective` with another β; how it is warmed up stays."""
    match objective:
        case Elbo() | ImportanceWeighted():
            return replace(objective, warmup=replace(objective.warmup, beta=beta))
        case Hybrid():
            return replace(objective, beta=beta)
    raise AssertionError(f"{objective} has no β")
