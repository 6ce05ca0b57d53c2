"""What a training is asked for: the same on the pages Data and Train, and in their address.

    train?family=gan&recipe=auto&data=my-photos&seconds=120&set=network.latent_dim=2,training.seed=3

What stands at its default is left out. The address is believed when it is new; after that it is written.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any

import streamlit as st

from genlab.app import sharing
from genlab.app.entries import FAMILIES
from genlab.app.forms.settings import Setting, offered, packed, unpacked
from genlab.errors import UserError
from genlab.recipes import RECIPES

ASKED, WRITTEN = "what is asked for", "the address that says it"
AUTO = "auto"
LONGEST = 36_000.0  # seconds that a form asks for
MOST = 4_000  # characters of a path


@dataclass
class Asked:
    """`recipe` is "" for the family's own; `data` a name or a path; `decoder` the name of the run to start
    from, or ""; `chosen` the settings that were touched, by their paths; `complaint` what is wrong with the
    address that this was read from."""

    family: str = "vae"
    recipe: str = ""
    data: str = "mnist"
    seconds: float = 60.0
    decoder: str = ""
    chosen: dict[str, Any] = field(default_factory=dict)
    complaint: str = ""

    def choose(self, path: str, value: Any, base: Any) -> None:
        """Set the field at `path`; what equals its `base` is no choice."""
        self.complaint = ""
        if value == base:
            self.chosen.pop(path, None)
        else:
            self.chosen[path] = value

    def query(self) -> dict[str, str]:
        """What of it is not as it would be anyway, as the query of an address."""
        said = {
            "family": self.family, "recipe": self.recipe, "data": self.data, "decoder": self.decoder,
            "seconds": f"{self.seconds:g}", "set": packed(self.chosen),
        }  # fmt: skip
        return {name: text for name, text in said.items() if text != DEFAULT.get(name, "")}


DEFAULT = {each.name: f"{each.default:g}" if each.name == "seconds" else str(each.default)
           for each in fields(Asked) if each.name in ("family", "data", "seconds")}  # fmt: skip
NAMES = ("family", "recipe", "data", "seconds", "decoder", "set")


def recipes(family: str) -> tuple[str, ...]:
    """The named recipes of a family, its own first, then "auto"."""
    others = (name for name, make in RECIPES.items() if name != family and make().family == family)
    return (family, AUTO, *others)


@cache
def known() -> dict[str, Setting]:
    """The settings of all families and recipes, by their paths."""
    return {path: each for make in RECIPES.values() for path, each in offered(make()).items()}


def asked() -> Asked:
    """What is asked for in this session, read from the address where that is new."""
    now: Asked = st.session_state.setdefault(ASKED, Asked())
    said = {name: st.query_params[name] for name in NAMES if name in st.query_params}
    if said and said != st.session_state.get(WRITTEN):
        now = st.session_state[ASKED] = read(said, now)
        st.session_state[WRITTEN] = said
    return now


def read(said: dict[str, str], now: Asked) -> Asked:
    """`now`, with what an address says; as it is and with a complaint where that can't be."""
    try:
        family = one_of(said.get("family", now.family), tuple(FAMILIES), "families")
        recipe = said.get("recipe", now.recipe if now.recipe in recipes(family) else "")
        return Asked(
            family,
            one_of(recipe, ("", *recipes(family)), f"recipes of a {FAMILIES[family]}"),
            allowed(said.get("data", now.data)[:MOST]),
            number(said.get("seconds", f"{now.seconds:g}")),
            said.get("decoder", now.decoder),
            unpacked(said["set"], known()) if "set" in said else dict(now.chosen),
        )
    except UserError as error:
        return replace(now, complaint=str(error))


def allowed(data: str) -> str:
    sharing.check(data)
    return data


def one_of(text: str, those: tuple[str, ...], what: str) -> str:
    if text not in those:
        raise UserError(f"the address asks for {text!r}; the {what} are {', '.join(filter(None, those))}")
    return text


def number(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 1 <= seconds <= LONGEST:
        raise UserError(f"the address asks for {text!r} seconds; give 1 to {LONGEST:g}")
    return seconds


def remember(now: Asked) -> None:
    """Write what is asked for into the address, which stays as it is while it is complained about."""
    if now.complaint:
        return
    said = now.query()
    for name in NAMES:
        if name in said and st.query_params.get(name) != said[name]:
            st.query_params[name] = said[name]
        elif name not in said and name in st.query_params:
            del st.query_params[name]
    st.session_state[WRITTEN] = said
