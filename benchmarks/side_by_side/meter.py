"""When a measurement begins and ends, and what it has seen."""

from __future__ import annotations

import time
from collections.abc import Callable

from torch.utils.flop_counter import FlopCounterMode

FIRST = 4  # steps before the clock can start: the first, the one whose FLOPs are counted, two more


class Done(Exception):
    """Enough was seen: raised where the last step ended."""


class Meter:
    """Counts the FLOPs of the second step, forward and backward, as torch does (a multiply-add is two); lets
    `FIRST` steps and `warm_up` seconds pass; then counts images for `seconds` seconds of whole steps.

    `ready` is called after the count, before the warm-up."""

    def __init__(self, seconds: float, warm_up: float, ready: Callable[[], None] = lambda: None) -> None:
        self.wanted, self.warm_up, self.ready = seconds, warm_up, ready
        self.steps = self.images = self.timed_steps = self.parameters = 0
        self.elapsed = self.flops_per_image = 0.0
        self._began: float | None = None
        self._counted = 0.0
        self._counter = FlopCounterMode(display=False)

    def step(self, images: int) -> None:
        """A step with so many images has just ended. Raises Done."""
        now = time.perf_counter()
        self.steps += 1
        if self.steps == 1:
            self._counter.__enter__()
        elif self.steps == 2:
            self._counter.__exit__(None, None, None)
            self.flops_per_image = self._counter.get_total_flops() / images
            self.ready()
            self._counted = time.perf_counter()
        elif self._began is None:
            if self.steps >= FIRST and now - self._counted >= self.warm_up:
                self._began = time.perf_counter()
        else:
            self.images += images
            self.timed_steps += 1
            self.elapsed = now - self._began
            if self.elapsed >= self.wanted:
                raise Done
