"""Sums of latents: a − b + c, what the models make of it, and which real images lie nearest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlab.app.animating import gif
from genlab.app.entries import Entry
from genlab.app.generating import cast, snippets, takeaway
from genlab.app.generating.cast import Cast, Latents, Pixels, decoded
from genlab.app.generating.operands import Codes, Operand, encoded, operand, wish
from genlab.app.generating.takeaway import Made, as_frame
from genlab.app.held_out import HeldOut, held_out
from genlab.app.style import SHEET, plain
from genlab.runs.sheets import png

STEPS = 8  # images from a to the result
NEAR = 8  # test images nearest to the result
SIDE = 116  # px of an operand's image, at most
MILLISECONDS = 110
NAMES = ("a", "b", "c", "the result")
HONEST = (
    "Nothing has made these directions mean anything: the model was trained to explain images, not to be "
    "added up. Where the way from b to c is much the same everywhere, the sum is what one hopes for; where "
    "it is not, it is something else. The real images nearest to it tell which."
)


def tab(entry: Entry) -> None:
    tests, shown = held_out(entry), cast.shown_with(entry)
    codes = encoded(shown[0], tests) if shown[0].family != "gan" else None
    places = st.columns(4, gap="medium")
    wishes = [wish(place, name, tests, codes) for place, name in zip(places, NAMES[:3], strict=False)]
    asks = any(each.kind == "sample" for each in wishes)
    who = cast.chosen(entry) if asks else Cast(shown, entry, "own")
    operands = [operand(who, tests, codes, each) for each in wishes]
    latents = sums(*(each.latent for each in operands))
    with places[3]:
        result(latents[3])
    for each in who.shown:
        images(places, each, decoded(each, latents))
    for place, said in zip(places, operands, strict=False):
        place.caption(plain(said.words))
    left, right = st.columns([SHEET, SHEET], gap="medium")
    with left:
        way(who, Made(latents, 4, None, "arithmetic", film))
    with right:
        near(who, latents[3], tests, codes)
    code(who, operands, codes is not None, len(tests))


def sums(a: Latents, b: Latents, c: Latents) -> Latents:
    """a, b, c, a − b + c, and the way from a to that: (4 + STEPS, Z)."""
    import torch

    from genlab.experiment.trained import along

    result = a - b + c
    path = along(torch.from_numpy(a[None]), torch.from_numpy(result[None]), STEPS)[0]
    return np.concatenate([np.stack([a, b, c, result]), path.numpy()])


def result(latent: Latents) -> None:
    """What heads the column of the result, as high as the choices beside it."""
    with st.container(height=68, border=False, vertical_alignment="center"):
        st.markdown(f"**= a − b + c** &nbsp; :small[│z│ = {np.linalg.norm(latent):.2f}]")


def images(places: Sequence[DeltaGenerator], entry: Entry, pixels: Pixels) -> None:
    """One model's row: the operands and the result."""
    scale = max(1, SIDE // pixels.shape[3])
    for index, (place, name) in enumerate(zip(places, NAMES, strict=True)):
        with place:
            st.markdown(f":small[{plain(entry.title) if index == 0 else '&nbsp;'}]")
            st.image(png(pixels[[index]], 1, scale), alt=f"{name}, decoded by {entry.label}")


def way(who: Cast, made: Made) -> None:
    """From a to the result, and everything to take away."""
    st.markdown("**From a to the result**")
    for entry in who.shown:
        pixels = decoded(entry, made.latents)
        st.image(takeaway.enlarged(pixels[4:], STEPS), alt=f"from a to the result, by {entry.label}")
        takeaway.downloads(entry, made, pixels, takeaway.enlarged(pixels, made.columns))
    st.caption(HONEST)


def near(who: Cast, latent: Latents, tests: HeldOut, codes: Codes | None) -> None:
    """The real images nearest to the result: by their codes, or without an encoder by their pixels."""
    st.markdown("**Real images nearest to it**")
    if codes is not None:
        apart = np.linalg.norm(codes.each - latent, axis=1)
    else:
        seen = decoded(who.shown[0], latent[None]).astype(np.float32)
        apart = np.sqrt(((tests.pixels - seen) ** 2).mean(axis=(1, 2, 3))) / 255
    order = np.argsort(apart)[:NEAR]
    st.image(takeaway.enlarged(tests.pixels[order], NEAR), alt="the test images nearest to the result")
    classes = ""
    if tests.labels is not None:
        classes = "Of the classes " + ", ".join(plain(tests.names[tests.labels[i]]) for i in order) + ". "
    st.caption(classes + how_near(float(apart[order[0]]), len(tests), codes))


def how_near(nearest: float, tests: int, codes: Codes | None) -> str:
    if codes is None:
        return f"Among {tests} test images, by pixels, for there is no encoder here to give them codes."
    return (
        f"Among {tests} test images, by the distance of their codes: {nearest:.2f} to the nearest. From a "
        f"test image to its nearest other it is {codes.spacing:.2f} in the median; far more than that means "
        "that the sum has left the region that the decoder knows."
    )


def code(who: Cast, operands: list[Operand], encodes: bool, tests: int) -> None:
    python = snippets.of_sum(who, [each.code for each in operands], encodes, tests, STEPS)
    takeaway.code(python, "\n".join(snippets.decoding(each, "arithmetic", 4) for each in who.shown))


def film(pixels: Pixels) -> bytes:
    """From a to the result and back, with a rest at either end."""
    frames = [as_frame(pixels[[4 + step]], 1) for step in range(STEPS)]
    whole = np.stack([frames[0]] * 5 + frames + [frames[-1]] * 5 + frames[-2:0:-1])
    return gif(whole, MILLISECONDS, max(1, 252 // pixels.shape[3]))
