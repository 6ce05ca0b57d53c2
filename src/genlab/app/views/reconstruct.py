"""Reconstruct: what of an image fits through the code, and how well the model knows such images."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.app import models
from genlab.app.choosing import choose, usable
from genlab.app.entries import Entry, encoder_of
from genlab.app.held_out import HeldOut, held_out
from genlab.app.reconstructing import charts, error_map, picking, posterior
from genlab.app.reconstructing.picking import DRAW, UPLOAD, Given
from genlab.app.reconstructing.posterior import Account
from genlab.app.reconstructing.searching import inversions, searched
from genlab.app.reconstructing.showing import picture
from genlab.app.reconstructing.walking import encoded, walk
from genlab.app.saving import save
from genlab.app.style import SHEET, count, plain
from genlab.errors import UserError

SAMPLES, CODE, MAP, WALK, MANY = (
    "Sampled reconstructions", "The code", "On the map", "Walk to another", "Many at once"
)  # fmt: skip
NOT_ASKED_FOR = "A VAE-GAN’s decoder also learned to deceive: its ELBO is not all that it was trained for."
EMPTY = {
    DRAW: "Draw something at the left: with the mouse, a finger, a pen, or the arrow keys and the space bar.",
    UPLOAD: "Choose a picture at the left. It stays on this machine.",
}


def page() -> None:
    st.markdown("### Reconstruct")
    left, right = st.columns(2, gap="medium")
    with left:
        entry = choose()
    with right:
        how = picking.way()
    if not usable(entry, "reconstruct"):
        return
    assert entry is not None
    vae = encoder_of(entry)
    if vae is not None and vae.saved is None:
        vae = None
    tests = held_out(entry)
    left, right = st.columns([290, 640], gap="medium")
    with left:
        image = chosen(how, tests, entry)
    with right:
        if image is None:
            st.info(EMPTY.get(how, ""))
        elif entry.family == "gan":
            request = inversions(entry, vae, image)
        else:
            found = at_a_glance(entry, tests, image)
    if image is not None and entry.family != "gan":
        more(entry, tests, image, found)
    elif image is not None and vae is not None:
        more_of_a_gan(entry, vae, tests, image)
    elif image is not None:
        st.markdown(f"#### {WALK}")
        walk(entry, tests, image, searched(request))


def chosen(how: str, tests: HeldOut, entry: Entry) -> Given | None:
    """The image that the page is about; what is wrong with it is said where it was given."""
    try:
        return picking.given(how, tests, models.opened(entry).experiment.data.fit)
    except UserError as error:
        st.error(plain(error), icon=":material/error:")
        return None


def at_a_glance(entry: Entry, tests: HeldOut, image: Given) -> Account:
    """Original, reconstruction, error; and the verdict of the ELBO beside those of the test images."""
    from genlab.data.batches import to_uint8

    found = posterior.account(models.opened(entry), image.pixels)
    original, again = (to_uint8(each)[0].numpy() for each in (found.image, found.again))
    apart = error_map.differences(original, again)
    scale, dark = error_map.scale_of(apart), charts.dark()
    a, b, c = st.columns(3)
    with a:
        picture("Original", original, image.words)
    with b:
        picture("Reconstruction", again, f"posterior mean, MSE {found.error:.4f}")
    with c:
        signed = len(original) == 1
        title = "Error: reconstruction − original" if signed else "Error: mean over the colours"
        picture(title, error_map.coloured(apart, scale, dark))
        st.html(error_map.key(scale, signed=signed, dark=dark))
    known = posterior.known(entry)
    numbers(found)
    words = posterior.verdict(known.share_below(found.elbo), len(known.elbo))
    with st.container(gap="xsmall"):
        st.markdown(words)
        charts.distribution(known, found.elbo, image.words)
        also = "" if entry.family == "vae" else f" {NOT_ASKED_FOR}"
        st.caption(
            f"Bars: the ELBOs of {count(len(known.elbo))} test images. The line: {plain(image.words)}.{also}"
        )
    return found


def numbers(found: Account) -> None:
    a, b, c = st.columns(3)
    a.metric(
        "ELBO, nats", f"{found.elbo:.1f}".replace("-", "−"),
        help=f"−(reconstruction + KL), the mean over {posterior.DRAWS} draws of z: higher is better known.",
    )  # fmt: skip
    b.metric(
        "Reconstruction, nats", f"{found.distortion:.1f}".replace("-", "−"),
        help="−ln p(x|z): what it costs to correct the decoded image to the original.",
    )  # fmt: skip
    c.metric(
        "KL, nats", f"{found.rate:.1f}", help="What the code says of the image: its distance from the prior."
    )


def more(entry: Entry, tests: HeldOut, image: Given, found: Account) -> None:
    """What is below the fold, drawn when it is opened."""
    samples, code, landing, walking, many = st.tabs(
        [SAMPLES, CODE, MAP, WALK, MANY], key="more", on_change="rerun", bind="query-params"
    )
    if samples.open:
        with samples:
            sampled(entry, image)
    elif code.open:
        with code:
            the_code(entry, found)
    elif landing.open:
        with landing:
            on_the_map(entry, tests, image, found)
    elif walking.open:
        with walking:
            walk(entry, tests, image, encoded(entry))
    else:
        with many:
            in_rows(entry)


def more_of_a_gan(entry: Entry, vae: Entry, tests: HeldOut, image: Given) -> None:
    walking, many = st.tabs([WALK, MANY], key="more", on_change="rerun", bind="query-params")
    if walking.open:
        with walking:
            st.caption(
                f"The codes are those of {plain(vae.name)}’s encoder; the GAN draws what lies between."
            )
            walk(entry, tests, image, encoded(vae))
    else:
        with many:
            st.info(f"A GAN has no encoder. This is the VAE it came from: {plain(vae.name)}.")
            in_rows(vae)


def sampled(entry: Entry, image: Given) -> None:
    """Images from several draws of the posterior."""
    left, right = st.columns([640, 290], gap="medium", vertical_alignment="top")
    with right:
        seed = seeded("Draw again", "sample-seed", ":material/casino:")
        drawn = posterior.samples(models.opened(entry), image.pixels, seed)
        data = models.as_png(drawn, 4, scale=max(1, 140 // drawn.shape[3]))
        save(data, f"{entry.name}-{image.name}-samples.png", key="samples-png")
        st.caption(
            "The encoder gives no single code but a distribution, q(z|x). Each of these is decoded from "
            "another draw of it: what they share the code holds fast, where they differ it leaves open."
        )
    left.image(data, alt=f"{len(drawn)} sampled reconstructions of {image.words}")


def seeded(label: str, key: str, icon: str) -> int:
    """The seed of what is drawn by chance, in the address, and a button that goes to the next."""
    left, right = st.columns(2, vertical_alignment="bottom")

    def following() -> None:
        st.session_state[key] = int(st.session_state.get(key, 0)) + 1

    right.button(label, icon=icon, key=f"{key}-next", width="stretch", on_click=following)
    return int(left.number_input("Seed", 0, 2**31, key=key, bind="query-params"))


def the_code(entry: Entry, found: Account) -> None:
    known = posterior.known(entry)
    charts.dimensions(found, known)
    said = (
        "The posterior of each dimension of z: its mean as a point, one standard deviation to either side; "
        "the grey band is the prior, 0 ± 1."
    )
    if known.per_dimension is not None:
        idle = int((known.per_dimension < posterior.IDLE).sum())
        said += (
            " Below it the nats that each is worth, for this image (bar) and on average over the test images "
            f"(tick). {idle} of {len(found.mean)} dimensions are idle: whatever the image is they follow the "
            f"prior, and say nothing of it (less than {posterior.IDLE} nats on average)."
        )
    st.caption(said)


def on_the_map(entry: Entry, tests: HeldOut, image: Given, found: Account) -> None:
    charts.landing(found, posterior.known(entry), tests, image.words)
    named = ", each name the middle of a class" if charts.told_apart(tests) else ""
    st.caption(
        f"Each point is the code of a test image{named}; the diamond is {image.words}. Hover over a point to "
        "see which image it is."
    )


def in_rows(vae: Entry) -> None:
    """Test images through encoder and decoder, originals above reconstructions."""
    left, right = st.columns([3 * SHEET, 460], gap="medium")
    with right:
        number = st.select_slider("Test images", [8, 16, 24, 32], 24, key="pairs", bind="query-params")
        seed = seeded("Others", "rows-seed", ":material/shuffle:")
    data, error = reconstructions(vae, number, seed)
    left.image(data, alt=f"{number} test images in rows, each row above its reconstruction")
    with right:
        st.caption(
            "Each row of test images stands above its reconstructions: encode, take the posterior mean, "
            "decode. What is sharp above and soft below did not fit through the code."
        )
        st.metric("mean squared error", f"{error:.4f}", help="Per pixel, from 0 (black) to 1 (white).")
        save(data, f"{vae.name}-reconstructions.png")


def reconstructions(vae: Entry, number: int, draw: int) -> tuple[bytes, float]:
    """A PNG of rows of test images, each above its reconstructions, and their mean squared error."""
    trained, pixels = models.opened(vae), held_out(vae).pixels
    import torch

    from genlab.experiment.encoding import as_trained

    images = as_trained(some(pixels, number, draw), trained.experiment)
    again = trained.reconstruct(images)
    rows = [row for pair in zip(images.split(8), again.split(8), strict=True) for row in pair]
    data = models.as_png(torch.cat(rows), 8, scale=max(1, 84 // pixels.shape[3]))
    return data, (again - images).square().mean().item() / 4


def some(pixels: NDArray[np.uint8], number: int, draw: int) -> NDArray[np.uint8]:
    """`number` of the images; the first draw takes the first ones."""
    if draw == 0:
        return pixels[:number]
    return pixels[np.random.default_rng(draw).permutation(len(pixels))[:number]]
