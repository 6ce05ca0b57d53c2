"""Shapes: discs, squares and triangles of any hue, size, place and turn before a shaded ground, in colour.
Images whose every factor is known, and that need no download. Drawn in double precision, so that processors
that round a sine differently should still draw the same bytes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genlab.data.catalogue import CATALOGUE
from genlab.data.dataset import Dataset, Images
from genlab.randomness import derive_seed

Numbers = NDArray[np.float64]

CHUNK = 250  # images drawn at once


def shapes(seed: int) -> Dataset:
    """The entry's numbers of images, (N, 3, 64, 64) uint8; the label says which shape it is."""
    entry = CATALOGUE["shapes"]
    train, test = (
        _drawn(count, entry.shape[1], seed, split)
        for count, split in ((entry.train, "train"), (entry.test, "test"))
    )
    return Dataset(entry.name, train, test, entry.class_names)


def _drawn(count: int, side: int, seed: int, split: str) -> Images:
    rng = np.random.default_rng(derive_seed(seed, f"data/shapes/{split}"))
    labels = rng.integers(0, 3, count)
    factors = rng.random((count, 12))
    parts = [
        draw(labels[start : start + CHUNK], factors[start : start + CHUNK], side)
        for start in range(0, count, CHUNK)
    ]
    return Images(np.concatenate(parts), labels)


def draw(labels: NDArray[np.int64], factors: Numbers, side: int) -> NDArray[np.uint8]:
    """(N,) of 0 disc, 1 square, 2 triangle, and (N, 12) in [0, 1] -> pixels (N, 3, side, side).

    The factors: centre across and down, size, turn; hue, saturation, brightness of the shape; hue,
    saturation, brightness of the ground; the ground's direction of light, and the shape's."""
    x0, y0, size, turn, hue, saturation, value, *ground = factors.T[:, :, None, None]
    across = (np.arange(side, dtype=np.float64) + 0.5) / side
    radius = 0.13 + 0.17 * size
    x = across[None, None, :] - (0.3 + 0.4 * x0)
    y = across[None, :, None] - (0.3 + 0.4 * y0)
    angle = 2 * np.pi * turn
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    inside = np.clip(0.5 - side * distance(labels, u, v, radius), 0, 1)[:, None]

    below = rgb(ground[0], 0.2 + 0.4 * ground[1], 0.12 + 0.4 * ground[2])
    below = below * (1 + 0.5 * light(ground[3], across - 0.5))[:, None]
    above = rgb(hue, 0.6 + 0.4 * saturation, 0.75 + 0.25 * value)
    shade = 0.85 - 0.2 * (x * np.cos(2 * np.pi * ground[4]) + y * np.sin(2 * np.pi * ground[4])) / radius
    image = inside * above * np.clip(shade, 0.5, 1.05)[:, None] + (1 - inside) * below
    pixels: NDArray[np.uint8] = np.clip(255 * image, 0, 255).round().astype(np.uint8)
    return pixels


def distance(labels: NDArray[np.int64], u: Numbers, v: Numbers, radius: Numbers) -> Numbers:
    """(N, H, W): how far each point lies outside its shape, below 0 inside; `u`, `v` in the shape's frame."""
    disc = np.hypot(u, v) - radius
    square = np.maximum(np.abs(u), np.abs(v)) - 0.85 * radius
    slope = np.float64(np.sqrt(3) / 2)
    triangle = np.maximum(np.maximum(slope * u + v / 2, -slope * u + v / 2), -v) - 0.6 * radius
    which = labels[:, None, None]
    outside: Numbers = np.where(which == 0, disc, np.where(which == 1, square, triangle))
    return outside


def light(turn: Numbers, across: Numbers) -> Numbers:
    """(N, H, W) in about [-0.7, 0.7]: brighter towards the side that `turn` (N, 1, 1) in [0, 1] says."""
    angle = 2 * np.pi * turn
    lit: Numbers = across[None, None, :] * np.cos(angle) + across[None, :, None] * np.sin(angle)
    return lit


def rgb(hue: Numbers, saturation: Numbers, value: Numbers) -> Numbers:
    """(N, 1, 1) each, in [0, 1] -> (N, 3, 1, 1): red, green and blue. Smith (1978)."""
    offset = np.array([5, 3, 1], np.float64)[None, :, None, None]
    k = (offset + 6 * hue[:, None]) % 6
    ramp = np.clip(np.minimum(k, 4 - k), 0, 1)
    colours: Numbers = value[:, None] * (1 - saturation[:, None] * ramp)
    return colours
