"""What `genlab data` shows: every named data set, and where it is. Imports neither numpy nor torch."""

from __future__ import annotations

from dataclasses import dataclass

from genlab.data.catalogue import CATALOGUE, Entry
from genlab.data.fetch import on_this_machine


@dataclass(frozen=True)
class Listed:
    """A line of the listing: `images` counts train and test, `shape` is (C, H, W), `where` is a phrase."""

    name: str
    title: str
    images: int
    shape: tuple[int, int, int]
    classes: int
    where: str
    description: str


def listing() -> list[Listed]:
    """Every entry of the catalogue, in its order."""
    return [
        Listed(
            entry.name,
            entry.title,
            entry.train + entry.test,
            entry.shape,
            entry.classes,
            _where(entry),
            entry.description,
        )
        for entry in CATALOGUE.values()
    ]


def _where(entry: Entry) -> str:
    if entry.obtained == "shipped":
        return "shipped"
    if entry.obtained == "made":
        return entry.source
    if folder := on_this_machine(entry):
        return f"on this machine: {folder}"
    untried = "" if entry.tried else " (not tried yet by us)"
    return f"to download: {entry.megabytes} MB{untried}"
