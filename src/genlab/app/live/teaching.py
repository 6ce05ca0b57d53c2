"""A paused run, one update at a time: what it did, in words, and the images and scores that it touched."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

import streamlit as st

from genlab.app.entries import Entry
from genlab.app.style import count, plain
from genlab.errors import UserError

PARTS = {"vae": "the VAE", "encoder": "the encoder", "decoder": "the decoder",
         "discriminator": "the discriminator", "generator": "the generator"}  # fmt: skip
DOES = {
    "vae": "encodes the batch, draws z around each code, decodes it, and moves both networks: towards a "
    "likelier image, and a cheaper code",
    "encoder": "moves the encoder alone: towards codes from which the decoder makes what the discriminator "
    "takes for the same image, near N(0, I)",
    "decoder": "moves the decoder alone: towards images that the discriminator takes for the one that went "
    "in, and for real",
    "discriminator": "shows the discriminator real images and made ones, and moves it: its score shall rise "
    "for the real and fall for the made. The images stay as they are",
    "generator": "lets the generator make images, asks the discriminator, and moves the generator: the score "
    "of its images shall rise. The discriminator stays as it is",
}
PICTURES = {"fakes": "Made from 16 fixed z", "reconstructions": "Reconstructions of the batch"}


def lesson(entry: Entry) -> None:
    """The button for one more update, and what the last one did."""
    moment = entry.run.moment()
    following = str(moment["next"]) if moment else first_part(entry.family)
    with st.container(border=True):
        left, right = st.columns([3, 1], vertical_alignment="center")
        left.markdown(f"**One update at a time.** The next one {DOES.get(following, 'moves ' + following)}.")
        with right:
            if st.button(
                f"Update {PARTS.get(following, following)}", icon=":material/skip_next:", key="one-update",
                type="primary", width="stretch",
            ):  # fmt: skip
                ask(entry)
        if moment:
            told(entry, moment)


def first_part(family: str) -> str:
    return {"vae": "vae", "gan": "discriminator", "vaegan": "encoder"}.get(family, family)


def ask(entry: Entry) -> None:
    try:
        entry.run.request_step()
    except UserError as error:
        st.error(plain(error))


def told(entry: Entry, moment: Mapping[str, Any]) -> None:
    st.markdown(f"Step {count(moment['step'])}, {PARTS.get(moment['part'], moment['part'])}: {words(moment)}")
    kinds = [kind for kind in PICTURES if kind in moment["images"]]
    columns = st.columns(1 + 2 * len(kinds))
    picture(entry, moment["images"]["reals"], "Real images of this batch", columns[0])
    for index, kind in enumerate(kinds):
        for when, column in zip(("before", "after"), columns[1 + 2 * index :], strict=False):
            picture(entry, moment["images"][kind][when], f"{PICTURES[kind]}, {when}", column)
    if moment["scores"]:
        st.caption(scored(moment["scores"]))
    if moment["elbo"]:
        st.caption(explained(moment["elbo"]["before"], moment["elbo"]["after"]))


def words(moment: Mapping[str, Any]) -> str:
    """The update in one sentence of figures."""
    parts = [f"the loss was {number(moment['loss'])}"]
    if moment["gradient_norm"] is not None:
        parts.append(f"its gradient {number(moment['gradient_norm'])} long")
    if moment["moved"] is not None:
        parts.append(f"the weights moved by {percent(moment['moved'])} of their length")
    return f"{', '.join(parts)}, at a learning rate of {moment['learning_rate']:.3g}."


def scored(scores: Mapping[str, Any]) -> str:
    """What the discriminator says of 16 fixed reals and of images from 16 fixed z."""
    names = {"reals": "real test images", "fakes": "made ones"}
    said = [
        f"{names[kind]} {number(middle(scores[kind]['before']))} → {number(middle(scores[kind]['after']))}"
        for kind in names
        if kind in scores
    ]
    return f"The discriminator’s median logit, before → after: {'; '.join(said)}. Above 0 it says “real”."


def explained(before: Mapping[str, float | None], after: Mapping[str, float | None]) -> str:
    """The terms of the ELBO of this batch, with the same noise."""
    names = {"elbo": "ELBO", "reconstruction": "reconstruction", "kl": "KL"}
    said = [f"{names[key]} {number(before[key])} → {number(after[key])}" for key in names if key in after]
    return f"This batch, with the same noise, in nats per image, before → after: {'; '.join(said)}."


def picture(entry: Entry, path: str, caption: str, column: Any) -> None:
    file = entry.path / path
    if file.is_file():  # the worker may have drawn the next ones meanwhile
        column.image(file.read_bytes(), caption=caption, width="stretch")


def middle(logits: list[float | None]) -> float | None:
    known = [each for each in logits if each is not None]
    return statistics.median(known) if known else None


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}".replace("-", "−")


def percent(share: float) -> str:
    return f"{100 * share:.2g} %"
