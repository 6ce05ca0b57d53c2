"""What images will be, before they are loaded."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from genlab.data import idx
from genlab.data.catalogue import CATALOGUE
from genlab.data.choosing import held_out
from genlab.data.fitting import Fit
from genlab.data.folder import plan_folder
from genlab.data.shards import is_sharded
from genlab.data.source import load


class Glance(NamedTuple):
    """`shape` (C, H, W) of every image, and how many there are to `train` on."""

    shape: tuple[int, int, int]
    train: int


def glance(
    name_or_path: str,
    *,
    size: int | None = None,
    channels: int | None = None,
    fit: Fit = "crop",
    limit: int | None = None,
    seed: int = 0,
    validation: float = 0.0,
) -> Glance:
    """What `load` will give for the same arguments. Nothing is downloaded, and of pictures only their headers
    are read. Raises UserError."""
    if name_or_path in CATALOGUE:
        entry = CATALOGUE[name_or_path]
        side = size or min(entry.shape[1:])
        learned, _ = held_out(entry.train, validation, seed)
        return Glance((channels or entry.shape[0], side, side), min(len(learned), limit or entry.train))
    path = Path(name_or_path).expanduser()
    if path.is_dir() and not is_sharded(path) and not idx.is_idx_folder(path):
        plan = plan_folder(path, size, channels, fit, limit, seed, validation)
        return Glance((plan.channels, plan.size, plan.size), len(plan.pictures["train"]))
    dataset = load(
        name_or_path, size=size, channels=channels, fit=fit, limit=limit, seed=seed, validation=validation
    )
    return Glance(dataset.shape, len(dataset.train))
