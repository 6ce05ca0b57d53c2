"""Images that a data set holds more than once: in one split, where they count double, or in two, where the
one no longer tests the other."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from genlab.data.dataset import Dataset, Images

SHOWN = 5  # pairs of each kind that are kept
ACROSS = (("test", "train"), ("validation", "train"), ("test", "validation"))


@dataclass(frozen=True)
class Place:
    """One image: its split, its index there, and its file below the data's folder, or nothing."""

    split: str
    index: int
    file: str

    def __str__(self) -> str:
        return self.file or f"{self.split} image {self.index}"


@dataclass(frozen=True)
class Duplicates:
    """`within`: for each split, how many of its images repeat an earlier one of it; `across`: for two splits,
    how many images of the first stand in the second too; `pairs`: the first few of each kind, the image and
    the first one that it equals."""

    within: dict[str, int]
    across: dict[tuple[str, str], int]
    pairs: tuple[tuple[Place, Place], ...]

    def sentences(self) -> list[str]:
        """A sentence for each kind that was found, with its first pairs."""
        kinds = [(a, b, count) for (a, b), count in self.across.items()]
        kinds += [(split, split, count) for split, count in self.within.items()]
        return [
            f"{counted(count, a)} {does(a, b, count == 1)}: {self.examples(a, b, count)}"
            for a, b, count in kinds
            if count
        ]

    def examples(self, first: str, second: str, count: int) -> str:
        named = [f"{a} = {b}" for a, b in self.pairs if (a.split, b.split) == (first, second)]
        return ", ".join(named) + (", …" if count > len(named) else "")

    def warning(self) -> str | None:
        """One sentence where images that should test or choose were trained on, or nothing."""
        leaked = {a: count for (a, b), count in self.across.items() if count and b == "train"}
        if not leaked:
            return None
        who = " and ".join(counted(count, split) for split, count in leaked.items())
        does = "stands" if sum(leaked.values()) == 1 else "stand"
        return f"{who} {does} in train too, so what is measured is partly memory; `genlab data` names them"

    def as_json(self) -> dict[str, Any]:
        return {
            "within": self.within,
            "across": {f"{a} in {b}": count for (a, b), count in self.across.items()},
            "pairs": [[asdict(place) for place in pair] for pair in self.pairs],
        }


def counted(count: int, split: str) -> str:
    return f"{count:,} {split} image{'' if count == 1 else 's'}"


def does(first: str, second: str, one: bool) -> str:
    if first == second:
        return f"repeat{'s' if one else ''} an earlier one"
    return f"also stand{'s' if one else ''} in {second}"


def duplicates(dataset: Dataset) -> Duplicates:
    """Which images equal which, pixel for pixel as the model sees them (128-bit hashes of their bytes)."""
    hashes = {split: hashed(images) for split, images in dataset.splits.items()}
    first = {split: first_places(each) for split, each in hashes.items()}
    within, across, pairs = {}, {}, []

    def pair(a: tuple[str, int], b: tuple[str, int]) -> tuple[Place, Place]:
        return place(dataset, *a), place(dataset, *b)

    for one, other in ACROSS:
        if one in hashes and other in hashes:
            there = first[other]
            found = [(index, there[each]) for index, each in enumerate(hashes[one]) if each in there]
            across[one, other] = len(found)
            pairs += [pair((one, i), (other, j)) for i, j in found[:SHOWN]]
    for split, each in hashes.items():
        repeats = [(i, first[split][one]) for i, one in enumerate(each) if first[split][one] != i]
        within[split] = len(repeats)
        pairs += [pair((split, i), (split, j)) for i, j in repeats[:SHOWN]]
    return Duplicates(within, across, tuple(pairs))


def hashed(images: Images) -> list[bytes]:
    """16 bytes for each image: equal where, and in all likelihood only where, all pixels are."""
    rows = np.ascontiguousarray(images.pixels).reshape(len(images), -1)
    return [hashlib.blake2b(row.data, digest_size=16).digest() for row in rows]


def first_places(hashes: list[bytes]) -> dict[bytes, int]:
    """Where each hash comes first."""
    return {each: index for index, each in reversed(list(enumerate(hashes)))}


def place(dataset: Dataset, split: str, index: int) -> Place:
    files = dataset.splits[split].files
    return Place(split, index, files[index] if files else "")
