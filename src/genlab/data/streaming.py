"""Batches of images that stay on disk: (seed, step) -> Batch, as `Batches` gives them from memory."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch

from genlab.data.batches import Batch, black_and_white, to_float
from genlab.data.choosing import Index
from genlab.data.dataset import Images, Labels, Pixels
from genlab.data.order import by_windows, permuted
from genlab.randomness import derive_seed
from genlab.ranks import mine

Read = tuple[Pixels, Labels | None]


class Streamed:
    """Images on disk, gathered by index: `streamed(step)` is a function of (seed, step), and what the next
    step needs is read while this one is taken.

    As with `Batches` every epoch shows every image once, in an order that is a function of (seed, epoch);
    it is another order than theirs, which would have to be written down. With `window` the images come by
    windows of so many neighbours (`by_windows`). Of several processes each reads its own rows.
    """

    def __init__(
        self,
        images: Images,
        batch_size: int,
        seed: int,
        device: str | torch.device = "cpu",
        *,
        binarise: bool = False,
        blocks: int = 1,
        window: int = 0,
    ) -> None:
        assert batch_size >= 1, f"batch_size is {batch_size}"
        self.images, self.batch_size, self.seed, self.device = images, batch_size, seed, device
        self.binarise, self.blocks, self.window = binarise, blocks, window
        self._reader = ThreadPoolExecutor(1, "streamed")
        self._ahead: tuple[int, Future[Read]] | None = None

    def __len__(self) -> int:
        """The number of images: an epoch is len(self) / batch_size steps."""
        return len(self.images)

    def __call__(self, step: int) -> Batch:
        if self._ahead is not None and self._ahead[0] == step:
            pixels, labels = self._ahead[1].result()
        else:
            pixels, labels = self.read(self.part(step))
        self._ahead = step + 1, self._reader.submit(self.read, self.part(step + 1))
        images = to_float(torch.from_numpy(pixels).to(self.device))
        if self.binarise:
            images = black_and_white(images, self.seed, step, self.blocks)
        return Batch(images, None if labels is None else torch.from_numpy(labels).to(self.device), step)

    def read(self, index: Index) -> Read:
        labels = self.images.labels
        return self.images.pixels[index], None if labels is None else labels[index]

    def part(self, step: int) -> Index:
        """Which images this process has of batch `step`."""
        found: Index = mine(torch.from_numpy(self.index(step)), blocks=self.blocks).numpy()
        return found

    def index(self, step: int) -> Index:
        """(B,): which images batch `step` holds."""
        place = np.arange(step * self.batch_size, (step + 1) * self.batch_size)
        epochs, places = np.divmod(place, len(self))
        found = np.empty_like(places)
        for epoch in np.unique(epochs).tolist():
            here = epochs == epoch
            seed = derive_seed(self.seed, "data/order", epoch)
            if self.window:
                found[here] = by_windows(places[here], len(self), self.window, seed)
            else:
                found[here] = permuted(places[here], len(self), seed)
        return found
