"""From one image to another, step by step through the latent space."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.app import models
from genlab.app.animating import gif
from genlab.app.entries import Entry
from genlab.app.held_out import HeldOut
from genlab.app.reconstructing.picking import Given, given, way
from genlab.app.saving import offer, save
from genlab.app.style import plain
from genlab.errors import UserError
from genlab.runs.sheets import png

if TYPE_CHECKING:
    from genlab.experiment.trained import Trained

LINE, ARC = "Straight line", "Arc"  # as they stand in the address, too
SENTENCES = {
    LINE: "The codes between lie on the straight line from one to the other (linear interpolation).",
    ARC: "The codes between keep, as far as the two allow it, their distance from the origin, where N(0, I) "
    "has its mass (spherical interpolation).",
}
SHEET_WIDTH, FRAME = 600, 252  # px of the sheet and of a frame of the GIF, at most
MILLISECONDS = 90


def walk(entry: Entry, vae: Entry, tests: HeldOut, here: Given) -> None:
    """The section: choose where to go, and see the way. The VAE encodes; the model of `entry` decodes."""
    left, right = st.columns([300, 620], gap="medium")
    encoder, decoder = models.opened(vae), models.opened(entry)
    with left:
        how = way("to-from")
        there = chosen(how, tests, encoder)
    with right:
        a, b = st.columns(2)
        path = str(
            a.segmented_control(
                "Way", [LINE, ARC], default=LINE, required=True, key="way", bind="query-params"
            )
        )  # fmt: skip
        steps = int(b.slider("Steps", 4, 24, 10, key="walk-steps", bind="query-params"))
        if there is None:
            st.info(f"From {here.words} to where? Say so at the left.")
            return
        frames = between(encoder, decoder, here.pixels, there.pixels, steps, path == ARC)
        pictures(entry, frames, here, there, path)


def chosen(how: str, tests: HeldOut, encoder: Trained) -> Given | None:
    try:
        return given(how, tests, encoder.experiment.data.fit, prefix="to-", start=1)
    except UserError as error:
        st.error(plain(error), icon=":material/error:")
        return None


def between(
    encoder: Trained,
    decoder: Trained,
    first: NDArray[np.uint8],
    last: NDArray[np.uint8],
    steps: int,
    arc: bool,
) -> NDArray[np.uint8]:
    """(steps, C, H, W) uint8 decoded on the way between the posterior means of two images (C, H, W)."""
    from genlab.data.batches import to_uint8
    from genlab.experiment.encoding import as_trained

    codes = encoder.encode(as_trained(np.stack([first, last]), encoder.experiment))
    return np.asarray(to_uint8(decoder.interpolate(codes[:1], codes[1:], steps, spherical=arc)).numpy())


def pictures(entry: Entry, frames: NDArray[np.uint8], here: Given, there: Given, path: str) -> None:
    """The two images and all between them, as a sheet and to take away."""
    side = frames.shape[3]
    everything = np.concatenate([here.pixels[None], frames, there.pixels[None]])
    columns = -(-len(everything) // (2 if len(everything) > 8 else 1))
    sheet = png(everything, columns, max(1, SHEET_WIDTH // (columns * (side + 1))))
    st.image(sheet, alt=f"{len(frames)} images on the way from {here.words} to {there.words}")
    st.caption(
        f"First {here.words}, last {there.words}, as they are; between them what the model decodes on the "
        f"way from the reconstruction of the one to that of the other. {SENTENCES[path]}"
    )
    name = f"{entry.name}-{here.name}-to-{there.name}"
    a, b = st.columns(2)
    with a:
        save(sheet, f"{name}.png", key="walk-png")
    with b:
        offer("GIF", lambda: film(frames), f"{name}.gif", "image/gif", key="walk-gif")


def film(frames: NDArray[np.uint8]) -> bytes:
    """There and back, with a rest at either end."""
    rest = 5
    there = [frames[:1]] * rest + [frames] + [frames[-1:]] * rest
    way_out = np.concatenate(there)
    turned = np.concatenate([way_out, frames[-2:0:-1]])
    still = turned[:, 0] if turned.shape[1] == 1 else turned.transpose(0, 2, 3, 1)
    return gif(still, MILLISECONDS, max(1, FRAME // frames.shape[3]))
