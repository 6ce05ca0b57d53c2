"""A GAN has no encoder: the ways to a z that draws an image all the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.app import inverting, models
from genlab.app.entries import Entry
from genlab.app.inverting import Progress, Request
from genlab.app.reconstructing import charts
from genlab.app.reconstructing.picking import Given
from genlab.app.reconstructing.showing import picture
from genlab.app.reconstructing.walking import Ends
from genlab.app.style import duration, plain
from genlab.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.experiment.trained import Trained

LAST = "search at work"  # the folder of the search that this page began last
REFRESH = 0.5  # seconds between two looks at a search
STEPS, STARTS = [120, 400, 1000, 3000], [2, 8, 24]
WHY = (
    "A GAN has no posterior and no ELBO: it was never asked how probable an image is, or which z it came "
    "from. All that can be done is to invert it: to look for a z that it draws the image from."
)


def inversions(entry: Entry, vae: Entry | None, image: Given) -> Request:
    """The image beside what the two kinds of inversion draw, with their errors; and the search. Returns how
    it is searched for."""
    st.caption(WHY)
    pictures, settings = st.container(), st.container()
    with settings:
        request = asked(entry, vae)
    folder = inverting.folder_for(request, image.pixels)
    progress = inverting.look(folder)
    with pictures:
        rule = side_by_side(entry, vae, image, progress)
    if progress is None:
        if st.button("Search for z", type="primary", icon=":material/search:", key="search"):
            begin(request, image.pixels)
        st.caption(
            "Adam descends the squared error of the pixels, by z alone, from the nearest of 1 000 draws of "
            f"the prior{' and from the VAE’s code' if vae else ''}. The best z met on the way is kept."
        )
        return request
    live = progress.alive
    st.fragment(follow, run_every=REFRESH if live else None)(str(folder), live, rule)
    if not live and st.button("Search again", icon=":material/replay:", key="search-again"):
        begin(request, image.pixels)
    return request


def asked(entry: Entry, vae: Entry | None) -> Request:
    """How thorough the search shall be, from the widgets and the address."""
    a, b = st.columns(2, gap="medium")
    steps = a.select_slider("Steps of the search", STEPS, 120, key="search-steps", bind="query-params")
    starts = b.select_slider("Starts from the prior", STARTS, 2, key="search-starts", bind="query-params")
    assert entry.saved is not None
    encoder, step = (None, None) if vae is None else (str(vae.path.resolve()), vae.saved)
    return Request(str(entry.path.resolve()), entry.saved, encoder, step, int(steps), int(starts))


def begin(request: Request, pixels: NDArray[np.uint8]) -> None:
    """Start the search; this page's last one ends where it is still at work."""
    last = st.session_state.get(LAST)
    if last is not None and inverting.running(Path(last)):
        inverting.cancel(Path(last))
    st.session_state[LAST] = started(request, pixels)
    st.rerun()


def side_by_side(entry: Entry, vae: Entry | None, image: Given, progress: Progress | None) -> float | None:
    """The original and what each way draws; returns the VAE's mean squared error, where there is a VAE."""
    found = progress.image if progress is not None else None
    if progress is not None and found is not None:
        said = mse(progress.errors[-1])
    else:
        said = "searching …" if progress is not None and progress.alive else "not searched yet"
    shown = [("Original", image.pixels, image.words), ("Inversion by search", found, said)]
    rule = None
    if vae is not None:
        trained, generator = models.opened(vae), models.opened(entry)
        own, rule = decoded(trained, trained, image.pixels)
        handed, error = decoded(trained, generator, image.pixels)
        shown[1:1] = [
            ("The VAE’s reconstruction", own, mse(rule)),
            ("Inversion by encoder", handed, mse(error)),
        ]
    for column, (title, pixels, words) in zip(st.columns(4), shown, strict=False):
        with column:
            picture(title, pixels, words, wide=140)
    if vae is not None:
        st.caption(f"By encoder: the code that {plain(vae.label)} gives the image, drawn by the GAN.")
    return rule


def mse(error: float) -> str:
    return f"MSE {error:.4f}"


def decoded(encoder: Trained, decoder: Trained, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """An image (C, H, W) encoded by a VAE and decoded by whatever can, and its mean squared error for pixels
    from 0 to 1."""
    from genlab.data.batches import to_uint8
    from genlab.experiment.encoding import as_trained

    image = as_trained(pixels[None], encoder.experiment)
    again = decoder.decode(encoder.encode(image))
    return to_uint8(again)[0].numpy(), float((again - image).square().mean()) / 4


def follow(folder: str, live: bool, rule: float | None) -> None:
    """The search as it goes, with Cancel; or how it went."""
    progress = inverting.look(Path(folder))
    if progress is None or (live and not progress.alive):
        st.rerun()  # the whole page: there is a result to show, or none any more
    if progress.complaint:
        st.error(f"The search ended early: {plain(progress.complaint)}", icon=":material/error:")
    if progress.alive:
        at_work(progress)
        if st.button("Cancel", icon=":material/close:", key="cancel-search"):
            inverting.cancel(Path(folder))
            st.rerun()
    if len(progress.errors) > 1:
        charts.fall(list(progress.errors), rule)
        st.caption(
            "The lowest mean squared error of all starts, step by step"
            + ("; the dashed line is the VAE’s reconstruction of the same image." if rule else ".")
        )


def at_work(progress: Progress) -> None:
    steps, step = progress.steps, len(progress.errors)
    if not steps:
        st.progress(0.0, "Opening the model, and drawing from the prior …")
        return
    left = "" if progress.left is None else f", {duration(progress.left)} left"
    st.progress(min(1.0, step / (steps + 1)), f"Step {step} of {steps}{left}")


def searched(request: Request) -> Ends:
    """The z that a search finds for either image; asked for by a button, for it takes a while."""

    def ends(here: Given, there: Given) -> Tensor | None:
        images = [here.pixels, there.pixels]
        folders = [inverting.folder_for(request, pixels) for pixels in images]
        found = [inverting.look(folder) for folder in folders]
        if any(each is not None and each.alive for each in found):
            st.fragment(await_ends, run_every=REFRESH)([str(folder) for folder in folders])
            return None
        latents = [each.latents for each in found if each is not None and each.latents is not None]
        if len(latents) == len(images):
            import torch

            return torch.from_numpy(np.stack(latents))
        for each in found:
            if each is not None and each.complaint:
                st.error(f"The search ended early: {plain(each.complaint)}", icon=":material/error:")
        st.info("A walk needs a z at either end, and without an encoder each must be searched for.")
        if st.button("Search for both", type="primary", icon=":material/search:", key="search-both"):
            for pixels, each in zip(images, found, strict=True):
                if each is None or each.latents is None:
                    started(request, pixels)
            st.rerun()
        return None

    return ends


def started(request: Request, pixels: NDArray[np.uint8]) -> str:
    """Start a search; its folder. Raises UserError where the system can't."""
    try:
        return str(inverting.begin(request, pixels))
    except OSError as error:
        raise UserError(f"the search could not be started: {error}") from error


def await_ends(folders: list[str]) -> None:
    """The searches at work; the whole page is drawn anew once none is."""
    live = [progress for each in folders if (progress := inverting.look(Path(each))) and progress.alive]
    if not live:
        st.rerun()
    for progress in live:
        at_work(progress)
    if st.button("Cancel", icon=":material/close:", key="cancel-both"):
        for folder in folders:
            if inverting.running(Path(folder)):
                inverting.cancel(Path(folder))
        st.rerun()
