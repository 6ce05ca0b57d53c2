"""All that training carries from one step to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from genlab.networks.model import GAN, VAE, VAEGAN
from genlab.ranks import first
from genlab.reduction import alike
from genlab.training.ema import Average, tensors
from genlab.training.optim import Adam, AdamSettings

Model = VAE | GAN | VAEGAN


@dataclass
class State:
    """A model, its averaged copy, an optimizer per part, the step reached and the seconds spent on steps.

    Nothing else: batches and noise are functions of (seed, step)."""

    model: Model
    averaged: Average
    optimizers: dict[str, Adam]
    step: int = 0
    seconds: float = field(default=0.0, compare=False)


def new_state(model: Model, settings: Mapping[str, AdamSettings], ema: float) -> State:
    """A state at step 0; `settings` has one entry for each of `model.parts()`."""
    parts = model.parts()
    assert parts.keys() == settings.keys(), (parts.keys(), settings.keys())
    return State(model, Average(model, ema), {part: Adam(parts[part], settings[part]) for part in parts})


def stand_together(state: State) -> None:
    """Let the state of every rank be rank 0's, wherever that came from."""
    state.step = first(lambda: state.step)
    moments = [tensor for adam in state.optimizers.values() for tensor in adam.moments().values()]
    alike([*tensors(state.model).values(), *tensors(state.averaged.model).values(), *moments])
