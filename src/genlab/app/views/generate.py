"""Generate: images from noise, on the way between two of them, and by sums of latents; a GAN beside the VAE
that it came from, from the same z."""

from __future__ import annotations

import streamlit as st

from genlab.app import entries
from genlab.app.choosing import choose, usable
from genlab.app.entries import Entry
from genlab.app.generating import arithmetic, cast, interpolating, snippets, takeaway
from genlab.app.generating.cast import Cast
from genlab.app.generating.takeaway import Made
from genlab.app.navigate import go

COUNTS = [16, 36, 64, 100, 144, 256, 400]
TABS = {"samples": "Samples", "between": "Interpolation", "sums": "Arithmetic"}
ALONE = "None of these is in the data: each is a point z drawn by chance, and decoded."
BOTH = (
    "The same z at the same place, left and right. Before the GAN's first step the two were equal "
    "to the last bit; what differs is what the game with the discriminator has taught the decoder since."
)


def page() -> None:
    left, middle, right = st.columns([150, 440, 370], vertical_alignment="bottom", gap="small")
    left.markdown("### Generate")
    with middle:
        entry = choose()
    with right:
        tab = st.segmented_control(
            "What", list(TABS), required=True, default="samples", format_func=TABS.__getitem__, key="tab",
            label_visibility="collapsed", bind="query-params", width="stretch",
        )  # fmt: skip
    if not usable(entry, "generate"):
        return
    assert entry is not None
    if tab == "samples":
        samples(entry)
    elif tab == "between":
        interpolating.tab(entry)
    else:
        arithmetic.tab(entry)
    if entry.shipped:
        invitation()


def samples(entry: Entry) -> None:
    chosen, number, seed, truncation = controls(entry)
    columns = round(number**0.5)
    made = Made(cast.sampled(chosen, number, seed, truncation), columns, seed, f"seed-{seed}")
    with takeaway.board(chosen, made, f"{number} generated images"):
        st.caption(ALONE if len(chosen.shown) == 1 else BOTH)
        onward(chosen)
        takeaway.code(
            snippets.of_samples(chosen, number, seed, truncation, columns),
            snippets.generating(chosen, number, seed, truncation, columns),
        )


def controls(entry: Entry) -> tuple[Cast, int, int, float]:
    """Whose z, how many, from which seed, how bold."""
    a, b, c, d, e = st.columns([185, 130, 120, 215, 170], vertical_alignment="bottom", gap="small")
    with e:
        chosen = cast.chosen(entry)
    number = a.select_slider("Images", COUNTS, 64, key="n", bind="query-params")
    with c:
        cast.next_seed()
    seed = b.number_input("Seed", 0, 2**31, key="seed", bind="query-params")
    truncation = d.slider(
        "Truncation", 0.0, 2.0, 1.0, 0.05, key="truncation", bind="query-params",
        help="Scales z. Below 1: safer images, less variety. Above 1: bolder ones, more failures.",
    )  # fmt: skip
    return chosen, number, int(seed), truncation


def onward(chosen: Cast) -> None:
    vae = chosen.shown[0]
    if (
        len(chosen.shown) == 1
        and vae.family != "gan"
        and st.button("Next: make a GAN of this decoder →", type="primary", key="to-gan", width="stretch")
    ):
        go("vae-to-gan", run=vae.name)


def invitation() -> None:
    """To train, while all that is here came with genlab."""
    if entries.everything():
        return
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.info(
        "Train before you generate? No need: this model comes with genlab. Your own takes a minute.",
        icon=":material/model_training:",
    )
    if right.button("Train a model", type="primary", key="invited", width="stretch"):
        go("train")
