"""Orders of many images that nobody has to write down: a permutation as a function of the index.

A permutation of 10⁸ images takes 800 MB and seconds; the places of one batch in it take microseconds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from genlab.data.choosing import Index
from genlab.randomness import derive_seed

Bits = npt.NDArray[np.uint64]

ROUNDS = 6  # of the Feistel network; four are as good as random to whoever does not attack it


def permuted(index: Index, n: int, seed: int) -> Index:
    """Where a permutation of range(n), a function of the seed, takes `index` (any shape, each below n).

    A Feistel network permutes the smallest range(4^k) that holds n (Luby & Rackoff, 1988); what falls outside
    range(n) goes through it again until it does not (cycle walking; Black & Rogaway, 2002).
    """
    half = max(1, ((n - 1).bit_length() + 1) // 2)
    keys = [np.uint64(derive_seed(seed, "permutation", turn)) for turn in range(ROUNDS)]
    value = through(index.astype(np.uint64), half, keys)
    while (outside := value >= n).any():
        value[outside] = through(value[outside], half, keys)
    return value.astype(np.int64)


def through(value: Bits, half: int, keys: list[np.uint64]) -> Bits:
    """One pass through the network: a permutation of range(4^half)."""
    mask, shift = np.uint64((1 << half) - 1), np.uint64(half)
    left, right = value >> shift, value & mask
    for key in keys:
        left, right = right, left ^ (mixed(right ^ key) & mask)
    return (left << shift) | right


def mixed(bits: Bits) -> Bits:
    """Every bit of the result hangs on every bit of `bits`: the last steps of MurmurHash3 (Appleby, 2011)."""
    bits = (bits ^ (bits >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    bits = (bits ^ (bits >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return bits ^ (bits >> np.uint64(33))


def by_windows(index: Index, n: int, window: int, seed: int) -> Index:
    """The same, where the images of a window, `window` neighbours of range(n), come one after another: the
    windows in an order of their own, each in an order of its own. What is left over comes last.

    So reading keeps to one window at a time. Images of one window meet in batches more often than others:
    that is as good as `permuted` only where neighbours are no more alike than others are.
    """
    whole = n // window
    which, place = index // window, index % window
    found = np.empty_like(index)
    for each in np.unique(which).tolist():
        here = which == each
        size = window if each < whole else n - whole * window
        to = int(permuted(np.array([each]), whole, seed)[0]) if each < whole else whole
        found[here] = to * window + permuted(place[here], size, derive_seed(seed, "window", to))
    return found
