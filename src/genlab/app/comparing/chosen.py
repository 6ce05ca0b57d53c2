"""Which models are compared: a run, its best checkpoint, or a run with its fitted prior."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from genlab.app import entries, reports
from genlab.app.address import arrive_several, leave
from genlab.app.entries import FAMILIES, Entry
from genlab.app.style import BLUE, GREEN, ON_DARK, ORANGE

RUNS = "runs"  # the name of the choice, in the session and in the address
COLOURS = {"vae": BLUE, "gan": ORANGE, "vaegan": GREEN}
DASHES = ([1, 0], [7, 3], [2, 2], [9, 2, 2, 2], [14, 3], [4, 6])
SUFFIXES = {"@best": " · best", ":fitted": " · fitted prior"}


@dataclass(frozen=True)
class Model:
    """`reference` names it for the commands, `label` for people."""

    reference: str
    entry: Entry

    @property
    def label(self) -> str:
        suffix = self.reference.removeprefix(self.entry.name)
        return self.entry.label + SUFFIXES.get(suffix, suffix)

    @property
    def described(self) -> str:
        return f"{self.label} · {self.entry.title}"


def choose() -> list[Model]:
    """What is compared, in the order of the choice; the two newest trained runs where nothing was chosen."""
    models = offered()
    arrive_several(RUNS, models)
    st.session_state.setdefault(RUNS, initial(models))
    picked = st.multiselect(
        "Runs", list(models), key=RUNS, persist_state="session",
        format_func=lambda name: models[name].described if name in models else name,
        placeholder="Choose runs to compare", label_visibility="collapsed",
    )  # fmt: skip
    leave(RUNS, picked)
    return [models[name] for name in picked if name in models]


def offered() -> dict[str, Model]:
    found = (
        Model(reference, entry)
        for entry in entries.everything(shipped=True)
        for reference in reports.references(entry)
    )
    return {each.reference: each for each in found}


def initial(models: dict[str, Model]) -> list[str]:
    """The two newest runs: with a GAN, the VAE that it came from."""
    plain = [each for each in models.values() if each.reference == each.entry.name]
    if not plain:
        return []
    newest = plain[0].entry
    begun = newest.source and newest.source.resolve()
    source = [each.reference for each in plain if each.entry.path == begun]
    return [*source, newest.name] if source else [each.reference for each in plain[1::-1]]


def runs(models: list[Model]) -> list[Entry]:
    """The runs behind the models, each once."""
    return list({each.entry.path: each.entry for each in models}.values())


def looks(among: list[Entry], dark: bool) -> dict[str, tuple[str, list[int]]]:
    """A colour for each family and a dash for each run of it, by the run's name."""
    met: dict[str, int] = {}
    found = {}
    for entry in among:
        index = met[entry.family] = met.get(entry.family, -1) + 1
        colour = COLOURS.get(entry.family, BLUE)
        found[entry.name] = (ON_DARK.get(colour, colour) if dark else colour, DASHES[index % len(DASHES)])
    return found


def family(entry: Entry) -> str:
    return FAMILIES.get(entry.family, entry.family)
