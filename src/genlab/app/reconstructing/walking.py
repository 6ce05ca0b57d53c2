"""From one image to another, step by step through the latent space."""

from __future__ import annotations

from collections.abc import Callable
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
from genlab.data.fitting import Fit
from genlab.errors import UserError
from genlab.runs.sheets import png

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.experiment.trained import Trained

Ends = Callable[[Given, Given], "Tensor | None"]
"""Two images to their codes (2, Z); where there are none yet it says so itself, and returns None."""
LINE, ARC = "Straight line", "Arc"  # as they stand in the address, too
SENTENCES = {
    LINE: "The codes between lie on the straight line from one to the other (linear interpolation).",
    ARC: "The codes between keep, as far as the two allow it, their distance from the origin, where N(0, I) "
    "has its mass (spherical interpolation).",
}
SHEET_WIDTH, FRAME = 600, 252  # px of the sheet and of a frame of the GIF, at most
MILLISECONDS = 90


def walk(entry: Entry, tests: HeldOut, here: Given, ends: Ends) -> None:
    """The section: choose where to go, and see the way between the codes that `ends` finds for the two."""
    left, right = st.columns([300, 620], gap="medium")
    trained = models.opened(entry)
    with left:
        how = way("to-from")
        there = chosen(how, tests, trained.experiment.data.fit)
    with right:
        a, b = st.columns(2)
        path = str(
            a.segmented_control(
                "Way", [LINE, ARC], default=LINE, required=True, key="way", bind="query-params"
            )
        )  # fmt: skip
        steps = int(b.slider("Steps", 4, 24, 10, key="walk-steps", bind="query-params"))
        if there is None:
            st.info(f"From {plain(here.words)} to where? Say so at the left.")
            return
        codes = ends(here, there)
        if codes is not None:
            pictures(entry, between(trained, codes, steps, path == ARC), here, there, path)


def chosen(how: str, tests: HeldOut, fit: Fit) -> Given | None:
    try:
        return given(how, tests, fit, prefix="to-", start=1)
    except UserError as error:
        st.error(plain(error), icon=":material/error:")
        return None


def encoded(vae: Entry) -> Ends:
    """The posterior means of the VAE's encoder."""

    def ends(here: Given, there: Given) -> Tensor:
        from genlab.experiment.encoding import as_trained

        encoder = models.opened(vae)
        return encoder.encode(as_trained(np.stack([here.pixels, there.pixels]), encoder.experiment))

    return ends


def between(decoder: Trained, codes: Tensor, steps: int, arc: bool) -> NDArray[np.uint8]:
    """(steps, C, H, W) uint8 decoded on the way from the first of two codes (2, Z) to the second."""
    from genlab.data.batches import to_uint8

    return np.asarray(to_uint8(decoder.interpolate(codes[:1], codes[1:], steps, spherical=arc)).numpy())


def pictures(entry: Entry, frames: NDArray[np.uint8], here: Given, there: Given, path: str) -> None:
    """The two images and all between them, as a sheet and to take away."""
    side = frames.shape[3]
    everything = np.concatenate([here.pixels[None], frames, there.pixels[None]])
    columns = -(-len(everything) // (2 if len(everything) > 8 else 1))
    sheet = png(everything, columns, max(1, SHEET_WIDTH // (columns * (side + 1))))
    st.image(sheet, alt=f"{len(frames)} images on the way from {here.words} to {there.words}")
    st.caption(
        f"First {plain(here.words)}, last {plain(there.words)}, as they are; between them what the model "
        f"decodes on the way from the reconstruction of the one to that of the other. {SENTENCES[path]}"
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
