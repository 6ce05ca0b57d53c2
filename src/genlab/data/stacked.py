"""Stacked MNIST: three digits at random as the red, green and blue of one image, and so 1 000 modes.

Metz et al., Unrolled generative adversarial networks (ICLR 2017), section 3.3.1."""

from __future__ import annotations

import numpy as np

from genlab.data.catalogue import CATALOGUE
from genlab.data.dataset import Dataset, Images
from genlab.data.mnist import mnist
from genlab.randomness import derive_seed


def stacked_mnist(seed: int) -> Dataset:
    """As many images as MNIST, (N, 3, 28, 28), training digits with training digits and test with test. The
    label is the number that the three digits spell: 100 · red + 10 · green + blue."""
    entry, digits = CATALOGUE["stacked-mnist"], mnist()
    train, test = _stack(digits.train, seed, "train"), _stack(digits.test, seed, "test")
    return Dataset(entry.name, train, test, entry.class_names)


def _stack(digits: Images, seed: int, split: str) -> Images:
    assert digits.labels is not None
    rng = np.random.default_rng(derive_seed(seed, f"data/stacked-mnist/{split}"))
    index = rng.integers(0, len(digits), (len(digits), 3))
    pixels = digits.pixels[:, 0][index]  # (N, 3, 28, 28)
    return Images(pixels, digits.labels[index] @ np.array([100, 10, 1]))
