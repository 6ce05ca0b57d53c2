"""Where images come from.

`load` turns a name or a path into a `Dataset` of uint8 arrays; `Batches` turns those into batches, images in
[-1, 1], by (seed, step). Names are looked up when first used, so that the catalogue can be read without numpy
or torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genlab.data.batches import Batch, Batches, to_float, to_uint8
    from genlab.data.dataset import Dataset, Images
    from genlab.data.fitting import Fit
    from genlab.data.source import load

_HOME = {
    "Batch": "batches",
    "Batches": "batches",
    "to_float": "batches",
    "to_uint8": "batches",
    "Dataset": "dataset",
    "Images": "dataset",
    "Fit": "fitting",
    "load": "source",
}

__all__ = ["Batch", "Batches", "Dataset", "Fit", "Images", "load", "to_float", "to_uint8"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'genlab.data' has no attribute {name!r}")
    return getattr(import_module(f"genlab.data.{_HOME[name]}"), name)
