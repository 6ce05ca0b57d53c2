"""The page: four stations that lead from an untrained VAE to a GAN with its decoder.

Streamlit runs this file from top to bottom whenever something is touched. It never trains: it starts
`genlab train` as a process of its own, and reads the run folder.
"""

from __future__ import annotations

import numpy as np
import streamlit as st
from PIL import Image

from genlab.app import entries, handover, training, using
from genlab.app.entries import Entry
from genlab.app.navigate import STATIONS, arrive, go, settle
from genlab.app.style import CSS, plain
from genlab.errors import UserError

WELCOME = (
    "A **VAE** learns to press an image into a few numbers and to paint it again from them. A **GAN** learns "
    "to paint by deceiving a judge. The network that paints is the same in both: here you train it as a VAE, "
    "hand it over, and watch what the game makes of it."
)


def page() -> None:
    st.set_page_config("genlab", icon(), layout="wide", initial_sidebar_state=256)
    st.html(CSS)
    among = entries.everything()
    names = [each.name for each in among]
    arrive(names)
    entry = pick(among)
    st.markdown("### genlab &nbsp; :small[:gray[from noise to images, and what happens in between]]")
    show = st.segmented_control(
        "Station", list(STATIONS), required=True, format_func=STATIONS.__getitem__, key="show",
        label_visibility="collapsed", width="stretch",
    )  # fmt: skip
    settle(entry.name if entry else None, str(show))
    try:
        if show == "train":
            train(entry)
        elif show == "reconstruct":
            using.reconstruct(entry)
        elif show == "generate":
            using.generate(entry)
        else:
            handover.station(entry, among)
    except UserError as error:
        st.error(plain(error), icon=":material/error:")


def pick(among: list[Entry]) -> Entry | None:
    """The list of runs at the left."""
    with st.sidebar:
        st.markdown("#### Runs")
        if not among:
            st.caption("None yet. What you train appears here, and stays.")
            return None
        names = [each.name for each in among]
        chosen = st.radio(
            "Runs", names, key="run", label_visibility="collapsed", format_func=plain,
            captions=[plain(each.caption) for each in among],
        )  # fmt: skip
        if st.button("New VAE", icon=":material/add:", width="stretch", key="new"):
            st.session_state["fresh"] = True
            go(show="train")
    return among[names.index(chosen)]


@st.cache_resource
def icon() -> Image.Image:
    """Noise that becomes a square: drawn here, for Streamlit fetches its own icons from the network."""
    pixels = np.random.default_rng(0).integers(40, 220, (16, 16), dtype=np.uint8)
    pixels[5:11, 5:11] = 255
    return Image.fromarray(pixels).resize((64, 64), Image.Resampling.NEAREST)


def train(entry: Entry | None) -> None:
    if entry is None:
        with st.container(border=True):
            st.markdown("#### Train before you generate")
            st.markdown(WELCOME)
            training.vae_form("first")
        st.caption("Sixty seconds on two processor cores suffice for handwritten digits of your own model.")
        return
    if st.session_state.get("fresh"):
        another()
    training.watch(entry)


def another() -> None:
    """The form for one more VAE, above the run at hand."""
    with st.container(border=True):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.markdown("#### A new VAE")
        if right.button("Close", icon=":material/close:", width="stretch", key="close"):
            st.session_state["fresh"] = False
            st.rerun()
        training.vae_form("again")


if __name__ == "__main__":
    page()
