"""What a training draws as it goes: the clock stands still for every look."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from torch import Tensor

from genlab.data.batches import to_uint8
from genlab.runs.files import write_json
from side_by_side.meter import Done

COUNT = 10_000


class Looks:
    """Steps until each of the seconds in `at` has passed, and at each the images of `draw` go to `folder`:
    `{number}.npy`, (N, 1, H, W) uint8, and `{number}.json` with the seconds and steps that made them."""

    parameters = 0

    def __init__(self, at: list[float], folder: Path, draw: Callable[[int], Tensor] | None = None) -> None:
        self.at, self.folder, self.draw = sorted(at), folder, draw
        self.number = self.steps = 0
        self.clock, self.since = 0.0, time.perf_counter()

    def step(self, images: int) -> None:
        """A step with so many images has just ended. Raises Done after the last look."""
        self.steps += 1
        self.clock += time.perf_counter() - self.since
        if self.clock >= self.at[self.number]:
            self.look()
        self.since = time.perf_counter()

    def look(self) -> None:
        assert self.draw is not None, "this side draws no images"
        pixels = to_uint8(self.draw(COUNT)).numpy()
        np.save(self.folder / f"{self.number:03d}.npy", pixels)
        write_json(self.folder / f"{self.number:03d}.json", {"seconds": self.clock, "steps": self.steps})
        while self.number < len(self.at) and self.at[self.number] <= self.clock:
            self.number += 1
        if self.number == len(self.at):
            raise Done
