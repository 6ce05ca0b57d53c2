"""From latent to latent: rows from one to another, or a square between four; along the line or the arc."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.app.animating import gif
from genlab.app.entries import Entry
from genlab.app.generating import cast, lengths, snippets, takeaway
from genlab.app.generating.cast import Cast, Latents, Pixels
from genlab.app.generating.takeaway import Made, as_frame
from genlab.app.style import SHEET

SHAPES = {"rows": "Rows", "square": "Corners"}
WAYS = {"line": "Linear", "arc": "Spherical"}
ROWS = 6  # ways that are shown at a time
POINTS = 33  # of a curve of |z|
MILLISECONDS = 110  # of a frame in the GIF


class Chosen(NamedTuple):
    shape: str
    way: str
    steps: int
    seed: int

    @property
    def spherical(self) -> bool:
        return self.way == "arc"


def tab(entry: Entry) -> None:
    who, wish = controls(entry)
    ends = cast.sampled(who, 2 * ROWS if wish.shape == "rows" else 4, wish.seed)
    latents = between(ends, wish)
    what = f"{'rows' if wish.shape == 'rows' else 'corners'}-{wish.seed}"
    made = Made(latents, wish.steps, wish.seed, what, lambda pixels: film(pixels, wish))
    with takeaway.board(who, made, "images on the way between latents"):
        curves = {way: path_lengths(ends, wish.shape, way == "arc") for way in WAYS}
        place = st.columns([SHEET, SHEET], gap="medium") if len(who.shown) > 1 else [st.container()] * 2
        with place[0]:
            lengths.draw(curves, wish.way, ends.shape[1])
        place[1].caption(sentence(curves, wish.shape, ends.shape[1]))
        if wish.shape == "rows":
            python = snippets.of_path(who, ROWS, wish.steps, wish.seed, wish.spherical)
            command = snippets.interpolating(who, ROWS, wish.steps, wish.seed, wish.spherical)
        else:
            python = snippets.of_square(who, wish.steps, wish.seed, wish.spherical)
            command = "\n".join(snippets.decoding(each, what, wish.steps) for each in who.shown)
        takeaway.code(python, command)


def controls(entry: Entry) -> tuple[Cast, Chosen]:
    """Whose z, and the path between them."""
    a, b, c, d, e, f = st.columns([150, 165, 110, 125, 105, 170], vertical_alignment="bottom", gap="small")
    with f:
        who = cast.chosen(entry)
    shape = a.segmented_control(
        "Shape", list(SHAPES), default="rows", required=True, key="shape", bind="query-params",
        format_func=SHAPES.__getitem__, width="stretch",
        help="Six ways from one latent to another, row by row; or a square between four of them.",
    )  # fmt: skip
    way = b.segmented_control(
        "Way", list(WAYS), default="line", required=True, key="along", bind="query-params",
        format_func=WAYS.__getitem__, width="stretch",
    )  # fmt: skip
    steps = c.slider("Steps", 3, 16, 8, key="steps", bind="query-params")
    with e:
        cast.next_seed()
    seed = d.number_input("Seed", 0, 2**31, key="seed", bind="query-params")
    return who, Chosen(str(shape), str(way), int(steps), int(seed))


def between(ends: Latents, wish: Chosen) -> Latents:
    """The latents of the sheet, row by row: (rows · steps, Z)."""
    return along(ends, wish.shape, wish.steps, wish.spherical).reshape(-1, ends.shape[1])


def along(ends: Latents, shape: str, steps: int, spherical: bool) -> Latents:
    """(R, steps, Z): R ways from `ends` (2R, Z), or the rows of a square whose corners are `ends` (4, Z)."""
    import torch

    from genlab.experiment.trained import along as walk
    from genlab.experiment.trained import square

    given = torch.from_numpy(ends)
    if shape == "square":
        return np.asarray(square(given, steps, spherical=spherical).numpy())
    half = len(given) // 2
    return np.asarray(walk(given[:half], given[half:], steps, spherical=spherical).numpy())


def path_lengths(ends: Latents, shape: str, spherical: bool) -> NDArray[np.float32]:
    """|z| at `POINTS` points: the mean over the rows, or down the square's diagonal."""
    found = along(ends, shape, POINTS, spherical)
    each = np.linalg.norm(found, axis=-1)
    return np.asarray(np.diagonal(each) if shape == "square" else each.mean(axis=0), np.float32)


def sentence(curves: dict[str, NDArray[np.float32]], shape: str, dimensions: int) -> str:
    """What the two ways differ in, with this path's own figures."""
    half = {way: lengths.middle(curve) for way, curve in curves.items()}
    where = "down the square's diagonal" if shape == "square" else f"on average over the {ROWS} rows"
    return (
        f"In {dimensions} dimensions nearly all of N(0, I) lies in a shell about √{dimensions} = "
        f"{dimensions**0.5:.2f} from the origin. The straight line (linear) takes a short cut through its "
        f"hollow inside, where the decoder has seen few codes; the arc (spherical) turns from one direction "
        f"to the other and keeps to the shell. Half-way, {where}, │z│ is {half['line']:.2f} on the line and "
        f"{half['arc']:.2f} on the arc."
    )


def film(pixels: Pixels, wish: Chosen) -> bytes:
    """Rows: all of them at once, there and back. A square: once around its border."""
    side = pixels.shape[3]
    if wish.shape == "square":
        frames = np.stack([as_frame(pixels[[i]], 1) for i in border(wish.steps)])
        return gif(frames, MILLISECONDS, max(1, 252 // side))
    moments = pixels.reshape(ROWS, wish.steps, *pixels.shape[1:])
    there = [as_frame(moments[:, t], 3) for t in range(wish.steps)]
    rest = 4
    frames = np.stack([there[0]] * rest + there + [there[-1]] * rest + there[-2:0:-1])
    return gif(frames, MILLISECONDS, max(1, SHEET // (3 * (side + 1))))


def border(steps: int) -> list[int]:
    """The images around a square of `steps` × `steps`, clockwise from the first."""
    last = steps - 1
    top = [(0, x) for x in range(last)]
    right = [(y, last) for y in range(last)]
    bottom = [(last, x) for x in range(last, 0, -1)]
    left = [(y, 0) for y in range(last, 0, -1)]
    return [y * steps + x for y, x in [*top, *right, *bottom, *left]]
