"""The decoder changes hands: a GAN whose generator is the VAE's decoder."""

from __future__ import annotations

import streamlit as st

from genlab.app.entries import Entry, made_from
from genlab.app.navigate import go
from genlab.app.style import plain
from genlab.app.training import split, start, times, watch
from genlab.app.using import invite, ready


def station(entry: Entry | None, among: list[Entry]) -> None:
    if entry is None:
        invite("make a GAN")
    elif entry.family == "gan":
        of_gan(entry)
    elif ready(entry, "make a GAN"):
        of_vae(entry, among)


def of_vae(vae: Entry, among: list[Entry]) -> None:
    """What is about to happen, and the button."""
    st.markdown(f"#### Make a GAN from the decoder of {plain(vae.name)}")
    st.write(
        "A VAE's decoder and a GAN's generator are the same network. The decoder is copied, tensor by "
        "tensor, into a GAN. A fresh discriminator takes the encoder's place, and the two play against "
        "each other."
    )
    with st.form("make-gan", border=False):
        seconds, seed = times("gan")
        fitted = (vae.path / "prior.safetensors").exists()
        mixture = fitted and st.checkbox("Draw z from the prior fitted to the codes", key="gan-mixture")
        with st.expander("More settings"):
            extra = st.text_input(
                "Any field of the config",
                key="gan-extra",
                help="as in `objective.loss=hinge training.threads=1`",
            )
        pressed = st.form_submit_button(
            "Make the GAN, and train it", type="primary", icon=":material/play_arrow:"
        )
    if pressed:
        chosen = [f"training.seed={seed}", *split(extra)]
        chosen += ["network.prior.kind=mixture"] if mixture else []
        start("gan", vae.data, seconds, chosen, ["--from", str(vae.path)], "gan")
    made = made_from(vae, among)
    if made:
        st.caption("Made from this decoder already:")
        with st.container(horizontal=True):
            for gan in made:
                if st.button(plain(gan.name), key=f"open-{gan.name}"):
                    go(run=gan.name, show="gan")


def of_gan(gan: Entry) -> None:
    if gan.source is None and gan.progress is not None:
        st.info("This GAN began from random weights. Pick a VAE at the left to make one from its decoder.")
    watch(gan, with_receipt=True)
