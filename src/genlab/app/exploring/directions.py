"""Directions in the latent space: two for the pad, the rest for sliders.

Coordinates c belong to z by c = rows · (z − centre) and z = centre + rowsᵀ · c + what no row reaches.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ROWS = 64  # directions at most
NORMAL = 3.0  # how far N(0, 1) reaches: 99.7 % of it


class Basis(NamedTuple):
    """`rows` (K, Z), orthonormal, the pad's two first; `centre` (Z,); a name for each row, and how far it is
    worth going, `reach` (K,)."""

    rows: Array
    centre: Array
    names: tuple[str, ...]
    reach: Array


def coordinates(latent_dim: int, codes: Array | None, first: int, second: int) -> Basis:
    """The axes `first` and `second` of z, then the others, those in which the codes (N, Z) differ most before
    those that the encoder leaves alone."""
    order = spread_first(latent_dim, codes)
    chosen = [first, *([second] if second != first else [])]
    chosen += [axis for axis in order if axis not in chosen]
    rows = np.eye(latent_dim)[chosen[:ROWS]]
    centre = np.zeros(latent_dim)
    return Basis(rows, centre, tuple(f"z{axis + 1}" for axis in chosen[:ROWS]), reach(rows, centre, codes))


def spread_first(latent_dim: int, codes: Array | None) -> list[int]:
    """The axes by how much the codes differ in them; as they are numbered where there are no codes."""
    if codes is None:
        return list(range(latent_dim))
    return [int(axis) for axis in np.argsort(-codes.std(axis=0), kind="stable")]


def components(codes: Array, first: int = 0, second: int = 1) -> Basis:
    """Principal components of the codes (N, Z), `first` and `second` of them on the pad."""
    centre = codes.mean(axis=0)
    rows, shares = principal(codes - centre)
    order = [first, *([second] if second != first else [])]
    order += [index for index in range(len(rows)) if index not in order]
    names = tuple(f"component {index + 1} ({shares[index]:.0%})" for index in order)
    return Basis(rows[order], centre, names, reach(rows[order], centre, codes))


def principal(centred: Array) -> tuple[Array, Array]:
    """Principal directions (K, Z) of centred rows, signs fixed by their largest entry, and each one's share
    of the variance."""
    _, sizes, rows = np.linalg.svd(centred, full_matrices=False)
    rows = rows[:ROWS]
    largest = np.take_along_axis(rows, np.abs(rows).argmax(axis=1, keepdims=True), axis=1)
    shares = sizes**2 / max(float((sizes**2).sum()), 1e-12)
    return rows * np.sign(largest), shares[: len(rows)]


def between(codes: Array, means: Array, names: tuple[str, str, str]) -> Basis:
    """The plane through three classes' mean codes, `means` (3, Z): across from the first to the second, up
    towards the third; what is left of the codes by its principal components."""
    across = means[1] - means[0]
    across = across / max(float(np.linalg.norm(across)), 1e-12)
    up = means[2] - means[0]
    up = up - (up @ across) * across
    up = up / max(float(np.linalg.norm(up)), 1e-12)
    plane, centre = np.stack([across, up]), means.mean(axis=0)
    left = codes - codes.mean(axis=0)
    rest, _ = principal(left - left @ plane.T @ plane)
    rest = rest[: min(len(rest), codes.shape[1] - 2, ROWS - 2)]
    rows = np.concatenate([plane, rest])
    a, b, c = names
    said = (f"{a} → {b}", f"→ {c}", *(f"rest {index + 1}" for index in range(len(rest))))
    return Basis(rows, centre, said, reach(rows, centre, codes))


def by_chance(latent_dim: int, codes: Array | None, seed: int) -> Basis:
    """Orthonormal directions drawn from a seed."""
    drawn, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((latent_dim, latent_dim)))
    rows, centre = drawn.T[:ROWS], np.zeros(latent_dim)
    names = tuple(f"direction {index + 1}" for index in range(len(rows)))
    return Basis(rows, centre, names, reach(rows, centre, codes))


def reach(rows: Array, centre: Array, codes: Array | None) -> Array:
    """How far it is worth going along each row: where N(0, I) ends, and to where nearly all codes are; on
    the pad as far up as across, so that a distance is one."""
    far = np.full(len(rows), NORMAL)
    if codes is not None and len(codes):
        along = np.abs((codes - centre) @ rows.T)
        far = np.maximum(far, np.quantile(along, 0.995, axis=0))
    far[:2] = far[:2].max()
    return np.asarray(np.ceil(2 * far) / 2)
