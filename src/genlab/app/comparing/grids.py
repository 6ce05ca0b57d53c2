"""Samples side by side: the same seed, and the same z where two models take one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.app import models as opening
from genlab.app.comparing.chosen import Model
from genlab.app.held_out import held_out
from genlab.app.reports import stamp_of
from genlab.app.style import plain
from genlab.errors import UserError
from genlab.runs.sheets import png

WIDE, ROWS, ACROSS = 300, 5, 3  # px of a sheet, rows of images in it, sheets beside each other


class Drawn(NamedTuple):
    """`pixels` uint8 (N, C, H, W), decoded from `latents` (N, Z)."""

    pixels: NDArray[np.uint8]
    latents: NDArray[np.float32]


def page(models: list[Model]) -> None:
    seed = st.number_input(
        "Seed", 0, 2**31, 0, key="seed", bind="query-params", width=160,
        help="The same seed draws the same z for all that have as many dimensions.",
    )  # fmt: skip
    sheets: list[tuple[str, Drawn]] = []
    for model in models:
        try:
            sheets.append((model.described, drawn(model, int(seed))))
        except UserError as error:
            st.warning(f"{plain(model.label)}: {plain(error)}", icon=":material/warning:")
    if not sheets:
        return
    columns = across(sheets[0][1].pixels)
    for group in together([each for _, each in sheets]):
        if len(group) > 1:
            heading("From the same z", "look across: the same place is the same z")
        elif len(sheets) > 1:
            heading("From a z of its own", "another prior, or another number of dimensions")
        row([(sheets[i][0], sheets[i][1].pixels) for i in group], columns)
    reals(models[0], columns)
    st.caption(
        "The first images that the seed gives, none chosen. A handful shows blur and broken strokes; what is "
        "missing, the table counts."
    )


def heading(what: str, detail: str) -> None:
    st.markdown(f"**{what}** &nbsp; :small[:gray[{detail}]]")


def across(pixels: NDArray[np.uint8]) -> int:
    """Images beside each other in a sheet: as many as fit at twice their size, if at least three do."""
    width = int(pixels.shape[3])
    fitting = (WIDE // 2 + 1) // (width + 1)
    return fitting if fitting >= 3 else max(2, (WIDE + 1) // (width + 1))


def together(sheets: list[Drawn]) -> list[list[int]]:
    """Which of them have one z, those with most company first."""
    groups: list[list[int]] = []
    for index, each in enumerate(sheets):
        mine = [g for g in groups if np.array_equal(sheets[g[0]].latents, each.latents)]
        if mine:
            mine[0].append(index)
        else:
            groups.append([index])
    return sorted(groups, key=len, reverse=True)


def row(sheets: list[tuple[str, NDArray[np.uint8]]], columns: int) -> None:
    for start in range(0, len(sheets), ACROSS):
        part = sheets[start : start + ACROSS]
        for column, (title, pixels) in zip(st.columns(ACROSS), part, strict=False):
            natural = columns * (pixels.shape[3] + 1) - 1
            scale = max(1, WIDE // natural)
            data = png(pixels[: columns * ROWS], columns, scale)
            column.image(data, width=natural * scale, alt=f"samples: {title}")
            column.caption(plain(title))


def reals(model: Model, columns: int) -> None:
    """Test images beside them, to remember what they are held against."""
    try:
        pixels = held_out(model.entry).pixels
    except UserError as error:
        st.caption(plain(error))
        return
    heading("Real test images", "never trained on")
    row([(f"test images of {model.entry.data}", pixels)], columns)


def drawn(model: Model, seed: int) -> Drawn:
    """The first images of a model. Raises UserError where it can't be opened."""
    opening.awake()
    folder = model.entry.path
    best = stamp_of(folder / "checkpoints" / "best.json") if "@best" in model.reference else 0
    stamp = (model.entry.saved or 0, best, stamp_of(folder / "prior.safetensors"))
    return _drawn(model.reference, str(folder), stamp, seed)


@st.cache_data(max_entries=60, show_spinner="Drawing samples …")
def _drawn(reference: str, folder: str, stamp: tuple[int, ...], seed: int) -> Drawn:
    from genlab.data.batches import to_uint8
    from genlab.experiment.trained import open_reference

    images, latents = open_reference(reference).sample(ROWS * 8, seed)
    return Drawn(to_uint8(images).numpy(), latents.numpy())
