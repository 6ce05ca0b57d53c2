"""The receipt of a hand-over, as a small card."""

from __future__ import annotations

from typing import Any

import streamlit as st

from genlab.app.style import count, plain


def card(receipt: dict[str, Any]) -> None:
    """What was copied, in figures that can be checked."""
    with st.container(border=True):
        st.markdown(
            f"**Receipt: the decoder of {plain(receipt['source'])} is now a generator** &nbsp; "
            f":small[:gray[its {plain(receipt['weights'])} weights]]"
        )
        a, b, c, d = st.columns(4)
        a.metric("tensors copied", count(receipt["tensors"]))
        b.metric("parameters copied", count(receipt["parameters"]))
        c.metric(
            "max │G(z) − Dec(z)│", figure(receipt["max_difference"]),
            help="Over 64 latents, as it generates, before the first step. 0: equal to the last bit.",
        )  # fmt: skip
        d.metric(
            "after saving and reading", figure(receipt["reloaded_difference"]),
            help="The same, once the GAN was written to disk and read back.",
        )  # fmt: skip
        st.caption(
            "In units of pixels in [−1, 1]. While it trains, batch statistics take the place of the averages "
            f"that the decoder has learned: a difference of {figure(receipt['training_difference'])}."
        )
        if receipt.get("trunk_tensors"):
            st.caption(
                f"The discriminator begins with the encoder's trunk, {count(receipt['trunk_tensors'])} "
                f"tensors; their features differ by {figure(receipt['trunk_difference'])}."
            )


def figure(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float | int) else "–"
