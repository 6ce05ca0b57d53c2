"""Explore: drag through the latent space, and see the image at once."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlab.app import models
from genlab.app.address import arrive, leave
from genlab.app.choosing import choose, usable
from genlab.app.entries import Entry, encoder_of
from genlab.app.exploring import directions, pad
from genlab.app.exploring.directions import Basis
from genlab.app.exploring.packet import Known, known
from genlab.app.style import plain

WAYS = {
    "coordinates": "Coordinates of z",
    "components": "Principal components",
    "classes": "Between the means of classes",
    "chance": "Directions drawn by chance",
}
SENTENCES = {
    "coordinates": "Each coordinate alone: of a VAE, those that the codes differ in most come first.",
    "components": "The directions in which the codes of the test images differ most.",
    "classes": "The plane through the mean codes of three classes.",
    "chance": "Two directions at right angles, drawn from the seed.",
}


def page() -> None:
    st.markdown("### Explore")
    first, *others = st.columns([5, 4, 2, 2, 2], vertical_alignment="bottom")
    with first:
        entry = choose(live=False)
    if usable(entry, "explore"):
        assert entry is not None
        explore(entry, others)


def explore(entry: Entry, places: list[DeltaGenerator]) -> None:
    """The directions, asked for in `places`, and the pad over them."""
    coder = encoder_of(entry)
    codes = known(coder)
    way = asked_way(places[0], codes)
    basis = chosen(way, places[1:], models.opened(entry).model.decoder.latent_dim, codes)
    pad.draw(entry, codes, basis)
    st.caption(
        f"{SENTENCES[way]} Drag on the pad, or move it by the arrow keys; a dot is a test image: point at it "
        "to see it, click it to decode its code. Rings: one, two and three standard deviations of N(0, I)."
        + ("" if codes is None or coder is None or coder.path == entry.path else
           f" The codes are those of {plain(coder.label)}, the VAE that it came from.")
    )  # fmt: skip


def asked_way(place: DeltaGenerator, codes: Known | None) -> str:
    """What the pad spans."""
    ways = ["coordinates", "chance"] if codes is None else list(WAYS)
    if codes is not None and len(codes.classes) < 3:
        ways.remove("classes")
    arrive("way", ways, ways[0])
    way = place.selectbox(
        "Directions", ways, key="way", format_func=WAYS.__getitem__, persist_state="session"
    )
    leave("way", way, ways[0])
    return str(way)


def chosen(way: str, places: list[DeltaGenerator], latent_dim: int, codes: Known | None) -> Basis:
    """The directions that were asked for."""
    latents = None if codes is None else codes.codes
    if way == "coordinates":
        order = directions.spread_first(latent_dim, latents)
        options = {f"z{axis + 1}": axis for axis in order}
        first, second = pair(places, "across", "up", list(options))
        return directions.coordinates(latent_dim, latents, options[first], options[second])
    if way == "chance":
        seed = places[0].number_input("Seed", 0, 2**31, key="way-seed", bind="query-params")
        return directions.by_chance(latent_dim, latents, int(seed))
    assert codes is not None, "without codes there are neither components nor classes"
    if way == "components":
        options = {f"{index + 1}": index for index in range(min(latent_dim, directions.ROWS))}
        first, second = pair(places, "across", "up", list(options))
        return directions.components(codes.codes, options[first], options[second])
    return directions.between(codes.codes, *three(places, codes))


def pair(places: list[DeltaGenerator], one: str, other: str, options: list[str]) -> tuple[str, str]:
    found = []
    for place, key, index in zip(places, (one, other), (0, min(1, len(options) - 1)), strict=False):
        arrive(key, options, options[index])
        value = place.selectbox(key.capitalize(), options, key=key)
        leave(key, value, options[index])
        found.append(str(value))
    return found[0], found[1]


def three(places: list[DeltaGenerator], codes: Known) -> tuple[directions.Array, tuple[str, str, str]]:
    """The means (3, Z) of three classes, and their names."""
    import numpy as np

    names = []
    for index, (place, label) in enumerate(zip(places, ("From", "Across to", "Up to"), strict=True)):
        key, default = f"class-{index + 1}", codes.classes[index]
        arrive(key, codes.classes, default)
        name = place.selectbox(label, codes.classes, key=key)
        leave(key, name, default)
        names.append(str(name))
    return np.stack([codes.mean(name) for name in names]), (names[0], names[1], names[2])
