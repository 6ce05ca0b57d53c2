"""Which images are for testing, and which are kept when fewer are wanted: by a seed, and by nothing else."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from genlab.errors import UserError
from genlab.randomness import derive_seed

Index = npt.NDArray[np.int64]


def permutation(n: int, seed: int, stream: str) -> Index:
    """A permutation of range(n), a function of its arguments."""
    return np.random.default_rng(derive_seed(seed, f"data/{stream}")).permutation(n)


def train_and_test(n: int, seed: int, name: str) -> tuple[Index, Index]:
    """A tenth of n images for testing (at least one), the others for training; both in their original
    order."""
    if n < 2:
        found = "one image" if n else "no image"
        raise UserError(f"{name} has {found}: at least 2 are needed, one to train on and one to test on.")
    order = permutation(n, seed, "split")
    tested = max(1, round(n / 10))
    return np.sort(order[tested:]), np.sort(order[:tested])


def held_out(n: int, fraction: float, seed: int) -> tuple[Index, Index]:
    """(training, validation): `fraction` of n training images held out by the seed, at least one of them and
    at most all but one; both in their original order."""
    if fraction == 0 or n < 2:
        return np.arange(n), np.arange(0)
    order = permutation(n, seed, "validation")
    count = min(n - 1, max(1, round(n * fraction)))
    return np.sort(order[count:]), np.sort(order[:count])


def at_most(n: int, limit: int | None, seed: int, split: str) -> Index:
    """Which of n images to keep, in their original order; what a small limit keeps, a larger one keeps
    too."""
    if limit is None or limit >= n:
        return np.arange(n)
    return np.sort(permutation(n, seed, f"limit/{split}")[:limit])
