"""Who decodes, whose prior z is drawn from, and what comes out; kept, for a page is drawn at every touch."""

from __future__ import annotations

import subprocess
import sys
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.app import models
from genlab.app.entries import Entry, encoder_of
from genlab.app.processes import environment
from genlab.errors import UserError

Latents = NDArray[np.float32]
Pixels = NDArray[np.uint8]
PRIORS = {"own": "as trained", "fitted": "fitted"}


class Cast(NamedTuple):
    """`shown` are the models that decode, the VAE first where a GAN stands beside the one that it came from;
    z is drawn from the `prior` of `origin`, its "own" or the one "fitted" to its codes."""

    shown: tuple[Entry, ...]
    origin: Entry
    prior: str


def shown_with(entry: Entry) -> tuple[Entry, ...]:
    """The run, and before it the VAE that it came from, where that is another and is still there."""
    vae = encoder_of(entry)
    if vae is None or vae.path == entry.path or vae.family == "gan" or vae.saved is None:
        return (entry,)
    return vae, entry


def chosen(entry: Entry) -> Cast:
    """Asks where z is drawn from; or offers to fit a prior to the VAE's codes, where there is none."""
    shown = shown_with(entry)
    vae = shown[0]
    if vae.family != "vae" or vae.live:
        return Cast(shown, entry, "own")
    if not (vae.path / "prior.safetensors").exists():
        if not vae.shipped and st.button(
            "Fit a prior", icon=":material/scatter_plot:", key="fit", width="stretch",
            help="To the codes, for better samples. Some seconds of work: a mixture of Gaussians learns "
            "where the codes of real images are.",
        ):  # fmt: skip
            fit(vae)
        return Cast(shown, entry, "own")
    prior = str(
        st.segmented_control(
            "Prior", list(PRIORS), default="own", required=True, key="prior",
            format_func=PRIORS.__getitem__, bind="query-params",
            help="Where z is drawn from. The codes of real images do not fill N(0, I); a mixture of "
            "Gaussians fitted to the VAE’s codes draws z from where they are.",
        )
    )  # fmt: skip
    return Cast(shown, vae if prior == "fitted" else entry, prior)


def next_seed() -> None:
    """A button that draws others; it comes before the field of the seed, which it sets."""
    if st.button("Next seed", width="stretch", key="reseed"):
        st.session_state["seed"] = int(st.session_state.get("seed", 0)) + 1


def fit(vae: Entry) -> None:
    command = [sys.executable, "-m", "genlab.cli", "fit-prior", str(vae.path)]
    with st.spinner("Encoding the images and fitting Gaussians to their codes …", show_time=True):
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace",
            check=False, env=environment(threads=1),
        )  # fmt: skip
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise UserError(f"no prior was fitted: {said.removeprefix('genlab: ')}")
    st.session_state["prior"] = "fitted"
    st.rerun()


def sampled(cast: Cast, number: int, seed: int, truncation: float = 1.0) -> Latents:
    """(number, Z), as `Trained.sample` draws them."""
    return _sampled(cast.origin, stamp(cast.origin), cast.prior, number, seed, truncation)


@st.cache_data(max_entries=32, show_spinner=False)
def _sampled(
    _entry: Entry, stamp: tuple[str, int], prior: str, number: int, seed: int, truncation: float
) -> Latents:
    from genlab.randomness import generator

    model = models.opened(_entry, prior).model
    return np.asarray((model.latents(number, generator(seed, "generate")) * truncation).numpy())


def decoded(entry: Entry, latents: Latents) -> Pixels:
    """What the model of `entry` makes of latents (N, Z): (N, C, H, W)."""
    return _decoded(entry, stamp(entry), np.ascontiguousarray(latents))


@st.cache_data(max_entries=32, show_spinner=False)
def _decoded(_entry: Entry, stamp: tuple[str, int], latents: Latents) -> Pixels:
    trained = models.opened(_entry)
    import torch

    from genlab.data.batches import to_uint8

    return np.asarray(to_uint8(trained.decode(torch.from_numpy(latents))).numpy())


def stamp(entry: Entry) -> tuple[str, int]:
    """What tells a model from the same run's before it went on, or was fitted another prior."""
    files = (entry.path / "prior.safetensors", entry.path / "events.jsonl")
    return str(entry.path), sum(file.stat().st_mtime_ns for file in files if file.exists())
