"""What latents are added up: the mean of a class's codes, the code of a test image, or a sample."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlab.app import models
from genlab.app.entries import Entry
from genlab.app.generating import cast
from genlab.app.generating.cast import Cast, Latents
from genlab.app.held_out import HeldOut

KINDS = {"mean": "Class mean", "test": "Test image", "sample": "Sample"}
SIGNS = {"a": "a", "b": "− b", "c": "+ c"}
MEANS = {"b": "7", "c": "4"}  # the first sum: a seven, less what sevens share, plus what fours share


class Wish(NamedTuple):
    """Of which of `KINDS`, and which one: a class's name, the number of a test image, or a seed."""

    kind: str
    which: str


class Operand(NamedTuple):
    """A latent (Z,), what it is called, and the expression that makes it in code."""

    latent: Latents
    words: str
    code: str


class Codes(NamedTuple):
    """Posterior means (N, Z) of the test images, the mean of each class's, and the median distance from a
    code to its nearest other."""

    each: Latents
    of_class: dict[str, Latents]
    spacing: float


def wish(place: DeltaGenerator, name: str, tests: HeldOut, codes: Codes | None) -> Wish:
    """Asks for the operand called `name`. Without an encoder there are samples alone."""
    means = codes is not None and bool(codes.of_class)
    kinds = ["sample"] if codes is None else list(KINDS) if means else ["test", "sample"]
    start = kinds.index("mean") if means and name in MEANS else kinds.index("test") if codes else 0
    with place:
        left, right = st.columns([3, 2], gap="small", vertical_alignment="bottom")
    kind = left.selectbox(
        SIGNS[name], kinds, start, key=name, bind="query-params", format_func=KINDS.__getitem__
    )
    if kind == "mean" and codes is not None:
        classes = list(codes.of_class)
        first = classes.index(MEANS[name]) if MEANS.get(name) in classes else 0
        which = right.selectbox("class", classes, first, key=f"{name}-class", bind="query-params")
        return Wish("mean", str(which))
    most, label = (len(tests) - 1, "number") if kind == "test" else (2**31, "seed")
    key, number = f"{name}-{kind}", list(SIGNS).index(name)
    chosen = right.number_input(label, 0, most, min(number, most), key=key, bind="query-params")
    return Wish(str(kind), str(chosen))


def operand(who: Cast, tests: HeldOut, codes: Codes | None, wish: Wish) -> Operand:
    kind, which = wish
    if kind == "sample":
        code = f"{who.origin.family}.sample(1, seed={which}).latents[0]"
        return Operand(cast.sampled(who, 1, int(which))[0], f"the sample of seed {which}", code)
    assert codes is not None, "only an encoder gives codes"
    if kind == "test":
        return Operand(codes.each[int(which)], tests.called(int(which)), f"codes[{which}]")
    number = tests.names.index(which)
    words = f"the mean of the codes of class {which}, {len(tests.of(which))} test images"
    return Operand(codes.of_class[which], words, f"codes[labels == {number}].mean(dim=0)")


def encoded(vae: Entry, tests: HeldOut) -> Codes:
    """Codes of the test images by the run's own encoder."""
    return _encoded(vae, cast.stamp(vae), tests)


@st.cache_resource(max_entries=3, show_spinner="Encoding the test images …")
def _encoded(_vae: Entry, stamp: tuple[str, int], _tests: HeldOut) -> Codes:
    trained = models.opened(_vae)
    import torch

    from genlab.experiment.encoding import posteriors

    codes, _ = posteriors(trained, _tests.pixels)
    labels = _tests.labels
    means = {
        name: np.asarray(codes[labels == number].mean(dim=0).numpy())
        for number, name in enumerate(_tests.names)
        if labels is not None and (labels == number).any()
    }
    apart = torch.cdist(codes, codes).fill_diagonal_(float("inf")).amin(dim=1).median().item()
    return Codes(np.asarray(codes.numpy()), means, apart)
