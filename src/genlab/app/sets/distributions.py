"""How many images a class has, and how bright their pixels are: charts of a data set."""

from __future__ import annotations

from typing import Any

import streamlit as st

from genlab.app.forms.fields import sentence
from genlab.app.sets.gallery import mean_png
from genlab.app.sets.overview import Overview
from genlab.app.style import BLUE, GREEN, ORANGE, count, plain

MOST = 40  # classes that a chart has room for
BINS = 64
SPLITS = {"train": BLUE, "validation": GREEN, "test": ORANGE}


def statistics(found: Overview) -> None:
    """Counts by class, the distribution of levels, the mean image, and what is there twice."""
    left, right = st.columns(2, gap="medium")
    with left:
        classes(found)
    with right:
        st.markdown("**Levels of the pixels**")
        st.vega_lite_chart(levels_chart(found), width="stretch")
        st.caption(
            f"Share of the pixels at each level, from 0 (black) to 255 (white), in {of_images(found)}. "
            "The axis is a square root, so that rare levels can be seen."
        )
        picture, words = st.columns([1, 2], vertical_alignment="center")
        picture.image(mean_png(found), alt="the mean of the training images", width=120)
        words.caption("The mean image: all that is known to a model that knows each pixel’s mean.")
    twice(found)


def of_images(found: Overview) -> str:
    every = found.looked == found.splits["train"]
    return f"{'all' if every else 'a sample of'} {count(found.looked)} training images"


def classes(found: Overview) -> None:
    st.markdown("**Images of each class**")
    names = found.class_names
    if not names:
        st.caption("There are no classes: all images are of one kind. Sub-folders would make some.")
        return
    if len(names) > MOST:
        numbers = found.classes["train"].values()
        st.caption(
            f"{count(min(numbers))} to {count(max(numbers))} training images in each of "
            f"{count(len(names))} classes."
        )
        return
    st.vega_lite_chart(classes_chart(found), width="stretch")
    even = min(found.classes["train"].values()) / max(1, *found.classes["train"].values())
    st.caption(
        "A model draws rare classes rarely, and badly. "
        + ("Here they are about even." if even > 0.7 else f"The rarest has {even:.0%} of the most frequent.")
    )


def classes_chart(found: Overview) -> dict[str, Any]:
    """Bars, one class a row, the splits one behind another, in Vega-Lite's words."""
    splits = [split for split in SPLITS if split in found.classes]
    values = [
        {"class": name, "split": split, "images": number, "order": place}
        for place, split in enumerate(splits)
        for name, number in found.classes[split].items()
    ]
    colours = {"domain": splits, "range": [SPLITS[split] for split in splits]}
    return {
        "data": {"values": values},
        "mark": {"type": "bar", "tooltip": True},
        "height": {"step": 24},
        "encoding": {
            "x": {"field": "images", "type": "quantitative", "title": "images"},
            "y": {"field": "class", "type": "nominal", "sort": list(found.class_names), "title": None,
                  "axis": {"labelLimit": 120, "labelOverlap": False}},
            "color": {"field": "split", "type": "nominal", "scale": colours,
                      "legend": {"orient": "top", "title": None}},
            "order": {"field": "order", "type": "quantitative"},
        },
    }  # fmt: skip


def levels_chart(found: Overview) -> dict[str, Any]:
    """The share of the pixels in each of 64 bins of levels, a line for each channel."""
    names = ["grey"] if len(found.levels) == 1 else ["red", "green", "blue"]
    binned = found.levels.reshape(len(names), BINS, -1).sum(2)
    shares = binned / binned.sum(1, keepdims=True)
    values = [
        {"level": 256 // BINS * i, "share": float(share), "channel": name}
        for name, row in zip(names, shares, strict=True)
        for i, share in enumerate(row)
    ]
    colours = {"domain": names, "range": [BLUE] if len(names) == 1 else [ORANGE, GREEN, BLUE]}
    legend = None if len(names) == 1 else {"orient": "top", "title": None}
    return {
        "data": {"values": values},
        "mark": {"type": "line", "interpolate": "step-after", "tooltip": True},
        "height": 230,
        "encoding": {
            "x": {"field": "level", "type": "quantitative", "title": "level", "scale": {"domain": [0, 256]}},
            "y": {"field": "share", "type": "quantitative", "title": "share of pixels",
                  "scale": {"type": "sqrt"}, "axis": {"format": "%"}},
            "color": {"field": "channel", "type": "nominal", "scale": colours, "legend": legend},
            "strokeDash": {"field": "channel", "type": "nominal", "scale": {"domain": names}, "legend": None},
        },
    }  # fmt: skip


def twice(found: Overview) -> None:
    if found.repeated is None:
        st.caption("Images that are there twice were not looked for: there are too many for a page.")
    elif not found.repeated:
        st.caption(":material/check: No image is there twice, pixel for pixel.")
    for line in found.repeated or ():
        st.warning(plain(sentence(line)), icon=":material/content_copy:")
