"""The test images that a page shows and measures by: a thousand at most, with their classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.app import models
from genlab.app.entries import Entry

AT_MOST = 1000


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The first N test images of a run's data: pixels (N, C, H, W) uint8; labels (N,) and the names of the
    classes, where there are any."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of each."""
        _, channels, height, width = self.pixels.shape
        return channels, height, width

    def of(self, name: str) -> NDArray[np.int64]:
        """The numbers of the images of the class `name`; of all, where there is no such class."""
        if self.labels is None or name not in self.names:
            return np.arange(len(self))
        return np.flatnonzero(self.labels == self.names.index(name))

    def called(self, number: int) -> str:
        """As in "test image 12 (class 9)"."""
        if self.labels is None:
            return f"test image {number}"
        return f"test image {number} (class {self.names[self.labels[number]]})"


@st.cache_resource(max_entries=3, show_spinner="Reading the test images …")
def _held_out(path: str, stamp: int) -> HeldOut:
    from genlab.experiment.runner import load_data
    from genlab.experiment.schema import parse
    from genlab.runs.store import find_run

    data = load_data(parse(find_run(path).config()))
    labels = None if data.test.labels is None else data.test.labels[:AT_MOST].copy()
    return HeldOut(np.array(data.test.pixels[:AT_MOST]), labels, data.class_names)


def held_out(entry: Entry) -> HeldOut:
    """Test images of the run's data. Raises UserError where they are gone."""
    models.awake()
    return _held_out(str(entry.path), (entry.path / "config.json").stat().st_mtime_ns)
