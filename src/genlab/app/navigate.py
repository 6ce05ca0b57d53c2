"""The pages, and the way from one to another. Where one stands is in the address: the page is its path, the
run and what is set on the page are its query."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple, NoReturn

import streamlit as st


class Place(NamedTuple):
    """A page: `module` under `genlab.app.views`, whose `page()` draws it."""

    module: str
    title: str
    icon: str
    section: str = ""


PLACES = {
    "start": Place("start", "Start", ":material/home:"),
    "data": Place("data", "Data", ":material/photo_library:", "Make"),
    "train": Place("train", "Train", ":material/model_training:", "Make"),
    "vae-to-gan": Place("handover", "VAE → GAN", ":material/swap_horiz:", "Make"),
    "generate": Place("generate", "Generate", ":material/casino:", "Use"),
    "explore": Place("explore", "Explore", ":material/explore:", "Use"),
    "reconstruct": Place("reconstruct", "Reconstruct", ":material/draw:", "Use"),
    "compare": Place("compare", "Compare", ":material/balance:", "Judge"),
    "runs": Place("runs", "Runs", ":material/inventory_2:", "Judge"),
    "lessons": Place("lessons", "Lessons", ":material/school:", "Judge"),
}
DRAWN = "pages of this session"


def drawer(name: str) -> Callable[[], None]:
    """Draws the page called `name`; what it needs is imported when it is opened."""

    def draw() -> None:
        import_module(f"genlab.app.views.{PLACES[name].module}").page()

    draw.__name__ = draw.__qualname__ = name.replace("-", "_")
    return draw


def pages() -> dict[str, list[st.Page]]:
    """Every page by its section, for `st.navigation`; the first is where one arrives."""
    made = {
        name: st.Page(
            drawer(name), title=place.title, icon=place.icon, url_path=name, default=name == "start"
        )
        for name, place in PLACES.items()
    }
    st.session_state[DRAWN] = made
    sections: dict[str, list[st.Page]] = {}
    for name, page in made.items():
        sections.setdefault(PLACES[name].section, []).append(page)
    return sections


def go(place: str, *, run: str | None = None, **query: str | list[str]) -> NoReturn:
    """Open the page called `place`, with `run` chosen on it and `query` in its address."""
    st.switch_page(st.session_state[DRAWN][place], query_params={**({"run": run} if run else {}), **query})


def link(place: str, label: str, *, run: str | None = None, **query: str) -> None:
    """A link to the page called `place`, which a browser can open in another tab."""
    st.page_link(
        st.session_state[DRAWN][place], label=label, icon=PLACES[place].icon,
        query_params={**({"run": run} if run else {}), **query},
    )  # fmt: skip
