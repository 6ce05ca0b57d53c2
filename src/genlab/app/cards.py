"""A run as a card: some of its newest images, what it is, and where to go with it. Imports no torch."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

from genlab.app.entries import Entry
from genlab.app.navigate import link
from genlab.app.style import plain

SMALL, LARGE = 116, 232  # px of a card's picture, at most
TILES = 8  # images in a row of a worker's sheet


def card(entry: Entry, side: int) -> None:
    with st.container(border=True):
        picture, words = st.columns([side + 8, 137 if side == SMALL else 180], gap="small")
        with picture:
            thumbnail(entry, side)
        with words:
            st.markdown(f"**{plain(entry.label)}**")
            st.caption(plain(entry.caption))
            ways(entry)


def ways(entry: Entry) -> None:
    """Where to go with the run as it stands."""
    if not entry.shipped and (entry.live or entry.saved is None):
        link("train", "Watch" if entry.live else "See", run=entry.name)
    elif entry.saved is not None:
        link("generate", "Generate", run=entry.name)
        link("explore", "Explore", run=entry.name)


def thumbnail(entry: Entry, side: int) -> None:
    """The first images of its newest sheet of samples."""
    path = newest(entry)
    if path is None or entry.shape is None:
        st.html(f'<div style="height:{side}px;border:1px dashed;opacity:.3;border-radius:3px"></div>')
        return
    data = cropped(str(path), path.stat().st_mtime_ns, entry.shape[2], side)
    st.image(data, width="content", alt=f"samples of {entry.label}")


def newest(entry: Entry) -> Path | None:
    path = entry.progress.sheets.get("samples") if entry.progress else None
    return entry.path / path if path and (entry.path / path).is_file() else None


@st.cache_data(max_entries=64, show_spinner=False)
def cropped(path: str, stamp: int, width: int, side: int) -> bytes:
    """Four by four images, each `width` px wide, from the corner of a sheet; fewer where they are too large
    for `side` px. Each of their pixels is shown as one or more whole ones."""
    with Image.open(path) as image:
        pixels = np.asarray(image)
    drawn = max(1, round(pixels.shape[1] / (TILES * (width + 1) - 1)))  # screen pixels of one of the model's
    natural = pixels[::drawn, ::drawn]
    edge = max(1, min(4, side // (width + 1))) * (width + 1) - 1
    scale = max(1, side // edge)
    kept = np.repeat(np.repeat(natural[:edge, :edge], scale, 0), scale, 1)
    buffer = BytesIO()
    Image.fromarray(kept).save(buffer, format="PNG", compress_level=6)
    return buffer.getvalue()


def rows(found: list[Entry], large: bool = False) -> None:
    """Cards side by side: three small ones in a row, or two large ones."""
    columns, side = (2, LARGE) if large else (3, SMALL)
    for start in range(0, len(found), columns):
        for place, entry in zip(
            st.columns(columns, gap="small"), found[start : start + columns], strict=False
        ):
            with place:
                card(entry, side)
