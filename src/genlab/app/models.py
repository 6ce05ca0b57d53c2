"""Trained runs, opened for use. The only part of the app that needs torch, and only once it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from genlab.app.entries import Entry
from genlab.app.style import SHEET
from genlab.runs.sheets import png

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.experiment.trained import Trained


@st.cache_resource(show_spinner="Waking PyTorch up; this happens once, and takes some seconds …")
def awake() -> bool:
    """torch, imported."""
    import torch

    torch.set_num_threads(1)  # the trainings want the others
    return True


@st.cache_resource(max_entries=6, show_spinner="Opening the model …")
def _opened(path: str, prior: str, step: int, stamp: int) -> Trained:
    from genlab.experiment.trained import open_run
    from genlab.runs.store import find_run

    return open_run(find_run(path), prior=prior, step=step)


def opened(entry: Entry, prior: str = "own") -> Trained:
    """The model of a run at its newest checkpoint. Raises UserError where there is none."""
    assert entry.saved is not None
    awake()
    files = [entry.path / "config.json", entry.path / "prior.safetensors"]
    stamp = sum(file.stat().st_mtime_ns for file in files if file.exists())
    return _opened(str(entry.path), prior, entry.saved, stamp)


def as_png(images: Tensor, columns: int, scale: int | None = None) -> bytes:
    """Images in [−1, 1] as a sheet, enlarged by whole pixels."""
    from genlab.data.batches import to_uint8

    pixels = to_uint8(images).numpy()
    natural = columns * (pixels.shape[3] + 1) - 1
    return png(pixels, columns, scale or max(1, SHEET // natural))
