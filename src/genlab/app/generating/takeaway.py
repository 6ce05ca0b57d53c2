"""Sheets of what models decode, side by side, and everything that is taken away from them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlab.app.entries import Entry
from genlab.app.generating.cast import Cast, Latents, Pixels, decoded
from genlab.app.saving import offer
from genlab.app.style import SHEET, plain
from genlab.runs.sheets import png, sheet

HALF, PAGE, TALL = SHEET + 8, 944, 560  # px: a column, the whole page, and a sheet that it shows at once
Film = Callable[[Pixels], bytes]


class Made(NamedTuple):
    """Latents (N, Z) that every model of a cast decodes into a sheet of `columns`; `what` names the files;
    `film` makes an animation of the images, where there is one."""

    latents: Latents
    columns: int
    seed: int | None
    what: str
    film: Film | None = None


def board(cast: Cast, made: Made, alt: str) -> DeltaGenerator:
    """A sheet of each model with its downloads, side by side where that leaves them large enough. Returns the
    place for words: beside a single sheet that leaves room, else below."""
    every = [decoded(entry, made.latents) for entry in cast.shown]
    beside, scale = layout(every[0], made.columns)
    places = st.columns([SHEET, SHEET], gap="medium") if beside else [st.container() for _ in every]
    for place, entry, pixels in zip(places, cast.shown, every, strict=False):
        with place:
            st.markdown(f"**{plain(entry.title)}** &nbsp; :small[:gray[{plain(entry.label)}]]")
            picture = png(pixels, made.columns, scale)
            st.image(picture, alt=f"{alt}, by {entry.label}")
            downloads(entry, made, pixels, picture)
    return places[1] if beside and len(cast.shown) == 1 else st.container()


def layout(pixels: Pixels, columns: int) -> tuple[bool, int]:
    """Whether sheets stand side by side, and how many pixels wide one of theirs is, a whole number. Low wide
    sheets have the page's width each, so that they are no smaller than need be."""
    rows = -(-len(pixels) // columns)
    wide, high = columns * (pixels.shape[3] + 1) - 1, rows * (pixels.shape[2] + 1) - 1
    if wide > HALF or (2 * wide > HALF and rows <= 8):
        return False, max(1, min(PAGE // wide, TALL // high))
    return True, HALF // wide


def enlarged(pixels: Pixels, columns: int, wide: int = HALF) -> bytes:
    """A sheet as PNG, every pixel as many whole pixels wide as fit into `wide`."""
    return png(pixels, columns, max(1, wide // (columns * (pixels.shape[3] + 1) - 1)))


def downloads(entry: Entry, made: Made, pixels: Pixels, picture: bytes) -> None:
    name, key = f"{entry.name}-{made.what}", f"{made.what.split('-')[0]}-{entry.family}"
    kinds: list[tuple[str, bytes | Callable[[], bytes], str]] = [("png", picture, "image/png")]
    if made.film is not None:
        film = made.film
        kinds.append(("gif", lambda: film(pixels), "image/gif"))
    kinds.append(("npz", lambda: packed(entry, made, pixels), "application/zip"))
    for column, (kind, data, mime) in zip(st.columns(len(kinds), gap="small"), kinds, strict=True):
        with column:
            offer(kind.upper() if kind != "npz" else kind, data, f"{name}.{kind}", mime, key=f"{kind}-{key}")


def packed(entry: Entry, made: Made, pixels: Pixels) -> bytes:
    """An .npz with images uint8 (N, H, W, C), latents float32 (N, Z), the run, its step and, where there is
    one, the seed."""
    buffer = BytesIO()
    arrays: dict[str, Any] = {"images": pixels.transpose(0, 2, 3, 1), "latents": made.latents}
    arrays |= {"run": np.array(entry.name), "step": np.array(entry.saved)}
    if made.seed is not None:
        arrays["seed"] = np.array(made.seed)
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def as_frame(pixels: Pixels, columns: int) -> Pixels:
    """Images (N, C, H, W) side by side as one frame, (H, W) or (H, W, 3)."""
    return np.asarray(sheet(pixels, columns))


def code(python: str, command: str) -> None:
    """How to have the same images without the app."""
    with st.expander("The same images without the app", icon=":material/code:"):
        st.code(python, "python")
        st.code(command, "bash")
        if "genlab decode" in command:
            st.caption("`genlab decode` reads the .npz that is offered above.")
