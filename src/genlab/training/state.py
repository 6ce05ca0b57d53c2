"""All that training carries from one step to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from genlab.devices import kind
from genlab.networks.model import GAN, VAE, VAEGAN
from genlab.ranks import first
from genlab.reduction import alike
from genlab.training.ema import Average, tensors
from genlab.training.finite import Diverged, Finite
from genlab.training.optim import Adam, AdamSettings

Model = VAE | GAN | VAEGAN


@dataclass
class State:
    """A model, its averaged copy, an optimizer per part, what is known of its losses, the step reached
    and the seconds spent on steps.

    Nothing else: batches and noise are functions of (seed, step)."""

    model: Model
    averaged: Average
    optimizers: dict[str, Adam]
    finite: Finite
    step: int = 0
    recorded: bool = False
    """Whether compiled steps are recorded and replayed as CUDA graphs."""
    seconds: float = field(default=0.0, compare=False)
    config: str = ""
    """The digest of the config that it is trained by, where there is one."""

    def settle(self) -> None:
        """Wait for what the device still computes. Raises Diverged where a loss on the way was not finite;
        the step is then the last whole one, at which everything stands."""
        try:
            self.finite.settle()
        except Diverged as error:
            self.step = error.step
            raise


def new_state(
    model: Model, settings: Mapping[str, AdamSettings], ema: float, deferred: bool | None = None
) -> State:
    """A state at step 0; `settings` has one entry for each of `model.parts()`. `deferred`: see `Finite`; by
    default what suits the device."""
    parts = model.parts()
    assert parts.keys() == settings.keys(), (parts.keys(), settings.keys())
    optimizers = {part: Adam(parts[part], settings[part]) for part in parts}
    finite = Finite(kind(model.device.type).deferred if deferred is None else deferred)
    return State(model, Average(model, ema), optimizers, finite)


def stand_together(state: State) -> None:
    """Let the state of every rank be rank 0's, wherever that came from."""
    state.step = first(lambda: state.step)
    moments = [tensor for adam in state.optimizers.values() for tensor in adam.moments().values()]
    alike([*tensors(state.model).values(), *tensors(state.averaged.model).values(), *moments])
