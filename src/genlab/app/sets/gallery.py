"""The images of a data set: by class, and as a model will see them."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.app.sets.originals import SIDE, WIDE, Pair, enlarged, picture
from genlab.app.sets.overview import CLASSES, KEPT, Overview
from genlab.app.style import count, plain
from genlab.runs.sheets import png

STRIP = 350  # px that the images of a class are wide
ACROSS = 6  # images of a class that are shown at once
FEW = 10  # classes that are shown before one asks for more


def by_class(found: Overview) -> None:
    """Some training images of each class, in rows."""
    draw = st.session_state.get("other-images", 0) % (KEPT // ACROSS)
    if list(found.examples) == [""]:
        shown = np.roll(found.examples[""], -draw * ACROSS, axis=0)
        natural = 2 * ACROSS * (found.shape[2] + 1) - 1
        st.image(png(shown, 2 * ACROSS, max(1, 2 * STRIP // natural)), alt="training images")
    else:
        rows(found, draw)
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.caption("Training images as they are read: each pixel is shown as a square.")
    with right:
        st.button("Others", icon=":material/shuffle:", key="others", on_click=others, width="stretch")


def others() -> None:
    st.session_state["other-images"] = st.session_state.get("other-images", 0) + 1


def rows(found: Overview, draw: int) -> None:
    """Two classes side by side, each with its name and number."""
    names = list(found.examples)
    many = len(names) > FEW and not st.toggle(f"All {len(names)} of the classes", key="all-classes")
    shown = names[:FEW] if many else names
    for first in range(0, len(shown), 2):
        columns = st.columns([2, 5, 2, 5], vertical_alignment="center", gap="small")
        for place, name in enumerate(shown[first : first + 2]):
            number = found.classes["train"].get(name, 0)
            columns[2 * place].markdown(f"**{plain(name)}**  \n:small[:gray[{count(number)} to train on]]")
            if len(found.examples[name]):
                columns[2 * place + 1].image(
                    strip(found.examples[name], draw), alt=f"training images of the class {name}"
                )
    if len(found.class_names) > CLASSES:
        st.caption(f"The first {CLASSES} of {count(len(found.class_names))} classes.")


def strip(pixels: NDArray[np.uint8], draw: int) -> bytes:
    """A row of images of one class."""
    some = np.roll(pixels, -draw * ACROSS, axis=0)[:ACROSS]
    natural = ACROSS * (pixels.shape[3] + 1) - 1
    return png(some, ACROSS, max(1, STRIP // natural))


def pair(shown: Pair) -> None:
    """An original, and what the model sees of it."""
    left, right = st.columns([WIDE, SIDE], gap="medium", vertical_alignment="center")
    with left:
        st.image(shown.original, alt="an image as it is on disk")
        st.caption(" · ".join(filter(None, (plain(shown.name), shown.size))))
    with right:
        st.image(shown.model, alt="the same image as the model sees it")
        st.caption(f"what the model sees: {shown.seen}")


def mean_png(found: Overview) -> bytes:
    """The mean image, enlarged by whole pixels."""
    return enlarged(picture(found.mean.round().astype(np.uint8)), SIDE)
