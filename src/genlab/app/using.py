"""What one does with a trained run: reconstruct, and generate from noise."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.app import models
from genlab.app.entries import Entry, encoder_of
from genlab.app.launches import environment
from genlab.app.navigate import go
from genlab.app.style import SHEET, plain
from genlab.app.training import vae_form
from genlab.errors import UserError

COUNTS = [16, 36, 64, 100, 144, 256, 400]
PRIORS = {"own": "as trained", "fitted": "fitted to the codes"}


def invite(what: str) -> None:
    """In the place of a page that has nothing to show."""
    with st.container(border=True):
        st.markdown(f"#### Train before you {what}")
        st.write("There is no trained model yet. One minute is enough for digits that you will recognise.")
        vae_form("invite")


def ready(entry: Entry | None, what: str) -> bool:
    """Whether there is a checkpoint to use; otherwise says what is missing, with a button."""
    if entry is None:
        invite(what)
        return False
    if entry.saved is not None:
        return True
    if entry.live:
        st.info("This run is still young: its first checkpoint comes at step 500, or with the last step.")
    else:
        st.info(f"Train before you {what}: {plain(entry.name)} has no checkpoint yet.")
    if st.button("See its training", type="primary", key="see-training"):
        go(show="train")
    return False


def reconstruct(entry: Entry | None) -> None:
    """Test images through encoder and decoder, original above reconstruction."""
    vae = entry and encoder_of(entry)
    if entry is not None and vae is None:
        st.info(
            "A GAN has no encoder, and the VAE that this one came from is not here. Pick a VAE at the left."
        )
        return
    if not ready(vae, "reconstruct"):
        return
    assert vae is not None
    assert entry is not None
    left, right = st.columns([3 * SHEET, 460], gap="medium")
    with right:
        if vae.path != entry.path:
            st.info(f"A GAN has no encoder. This is the VAE it came from: {plain(vae.name)}.")
        number = st.select_slider("Test images", [8, 16, 24, 32], 24, key="pairs", bind="query-params")
        if st.button("Draw others", icon=":material/shuffle:", width="stretch", key="others"):
            st.session_state["draw"] = st.session_state.get("draw", 0) + 1
    data, error = reconstructions(vae, number, st.session_state.get("draw", 0))
    left.image(data, alt=f"{number} test images in rows, each row above its reconstruction")
    with right:
        st.caption(
            "Each row of test images stands above its reconstructions: encode, take the posterior mean, "
            "decode. What is sharp above and soft below did not fit through the code."
        )
        st.metric("mean squared error", f"{error:.4f}", help="Per pixel, from 0 (black) to 1 (white).")
        save(data, f"{vae.name}-reconstructions.png")
        if entry.family != "gan":
            onward("generate", "Next: generate →")


def reconstructions(vae: Entry, number: int, draw: int) -> tuple[bytes, float]:
    """A PNG of rows of test images, each above its reconstructions, and their mean squared error."""
    trained, pixels = models.opened(vae), models.tests(vae)
    import torch

    from genlab.data.batches import to_float

    images = to_float(torch.from_numpy(some(pixels, number, draw)))
    again = trained.reconstruct(images)
    rows = [row for pair in zip(images.split(8), again.split(8), strict=True) for row in pair]
    data = models.as_png(torch.cat(rows), 8, scale=max(1, 84 // pixels.shape[3]))
    return data, (again - images).square().mean().item() / 4


def some(pixels: NDArray[np.uint8], number: int, draw: int) -> NDArray[np.uint8]:
    """`number` of the images; the first draw takes the first ones."""
    if draw == 0:
        return pixels[:number]
    return pixels[np.random.default_rng(draw).permutation(len(pixels))[:number]]


def save(data: bytes, name: str, key: str = "png") -> None:
    st.download_button(
        "Download PNG", data, name, "image/png", icon=":material/download:", on_click="ignore", key=key,
        width="stretch",
    )  # fmt: skip


def onward(show: str, label: str) -> None:
    """The way to the next station."""
    if st.button(label, type="primary", key=f"to-{show}", width="stretch"):
        go(show=show)


def generate(entry: Entry | None) -> None:
    """Images from noise; a GAN beside the VAE that it came from, from the same z."""
    if not ready(entry, "generate"):
        return
    assert entry is not None
    vae = encoder_of(entry)
    beside = vae if vae is not None and vae.path != entry.path and vae.saved is not None else None
    number, seed, truncation = controls()
    if beside is not None:
        pictures, settings = st.container(), st.container()
        with settings:
            prior = choose_prior(vae)
        source = beside if prior == "fitted" else entry
        latents = models.opened(source, prior).sample(number, seed, truncation=truncation).latents
        with pictures:
            side_by_side(beside, entry, latents, round(number**0.5), seed)
        return
    left, right = st.columns([SHEET, SHEET], gap="medium")
    with right:
        st.markdown(f"**{plain(entry.title)}** &nbsp; :small[:gray[{plain(entry.name)}]]")
        st.caption("None of these is in the data: each is a point z drawn by chance, and decoded.")
        prior = choose_prior(vae)
    drawn = models.opened(entry, prior).sample(number, seed, truncation=truncation)
    data = models.as_png(drawn.images, round(number**0.5))
    left.image(data, alt=f"{number} generated images")
    with right:
        save(data, f"{entry.name}-seed-{seed}.png")
        if entry.family != "gan":
            onward("gan", "Next: make a GAN of this decoder →")


def controls() -> tuple[int, int, float]:
    """How many, from which seed, how bold."""
    a, b, c, d = st.columns([3, 2, 3, 2], vertical_alignment="bottom", gap="medium")
    number = a.select_slider("Images", COUNTS, 64, key="n", bind="query-params")
    if d.button("Next seed", icon=":material/casino:", width="stretch", key="reseed"):
        st.session_state["seed"] = int(st.session_state.get("seed", 0)) + 1
    seed = b.number_input("Seed", 0, 2**31, key="seed", bind="query-params")
    truncation = c.slider(
        "Truncation", 0.0, 2.0, 1.0, 0.05, key="truncation", bind="query-params",
        help="Scales z. Below 1: safer images, less variety. Above 1: bolder ones, more failures.",
    )  # fmt: skip
    return number, int(seed), truncation


def choose_prior(vae: Entry | None) -> str:
    """Where z is drawn from; with a button that fits the mixture to the VAE's codes where there is none."""
    if vae is None or vae.family != "vae" or vae.live:
        return "own"
    if (vae.path / "prior.safetensors").exists():
        if st.session_state.get("prior") not in PRIORS:
            st.session_state["prior"] = "own"
        return str(
            st.segmented_control(
                "Prior: where z is drawn from", list(PRIORS), required=True, key="prior",
                format_func=PRIORS.__getitem__,
                help="The codes of real images do not fill N(0, I). A mixture of Gaussians fitted to them "
                "draws z from where they are.",
            )
        )  # fmt: skip
    if st.button(
        "Fit a prior to the codes", icon=":material/scatter_plot:", key="fit",
        help="Some seconds of work: a mixture of Gaussians learns where the codes of real images are.",
    ):  # fmt: skip
        fit(vae)
    return "own"


def fit(vae: Entry) -> None:
    command = [sys.executable, "-m", "genlab.cli", "fit-prior", str(vae.path)]
    with st.spinner("Encoding 20 000 images and fitting 64 Gaussians to their codes …", show_time=True):
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace",
            check=False, env=environment(threads=1),
        )  # fmt: skip
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise UserError(f"no prior was fitted: {said.removeprefix('genlab: ')}")
    st.session_state["prior"] = "fitted"
    st.rerun()


def side_by_side(vae: Entry, gan: Entry, latents: object, columns: int, seed: int) -> None:
    for column, each in zip(st.columns([SHEET, SHEET], gap="medium"), (vae, gan), strict=True):
        with column:
            data = models.as_png(models.opened(each).decode(latents), columns)  # type: ignore[arg-type]
            st.markdown(f"**{plain(each.title)}** &nbsp; :small[:gray[{plain(each.name)}]]")
            st.image(data, alt=f"what the {each.family} makes of the latents")
            save(data, f"{each.name}-seed-{seed}.png", key=f"png-{each.family}")
    st.caption(
        "The same z at the same place, left and right. Before the GAN's first step the two were equal "
        "to the last bit; what differs is what the game with the discriminator has taught the decoder since."
    )
