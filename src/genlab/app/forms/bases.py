"""What a form begins with: the config of a recipe, or what "auto" makes of it, with what a decoder brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from genlab.app.entries import Entry
from genlab.app.forms.asked import AUTO, Asked
from genlab.app.forms.settings import Setting, assigned, offered
from genlab.app.sets import datasets
from genlab.experiment.inheriting import decided, inherit
from genlab.experiment.schema import Experiment, override, parse
from genlab.recipes import named
from genlab.recipes.auto import Chosen
from genlab.runs.store import Run

STEPS = "training.steps"


@dataclass(frozen=True)
class Base:
    """What is trained where nothing is changed: the recipe's config, its settings as a form offers them, the
    parts that come with a decoder, what "auto" chose, and the words of `genlab train` that say all this."""

    experiment: Experiment
    settings: Mapping[str, Setting]
    inherited: tuple[str, ...]
    choices: list[Chosen]
    options: list[str]

    def changed(self, now: Asked) -> dict[str, Any]:
        """The settings that were touched and are another than the recipe's."""
        return {
            path: now.chosen[path]
            for path, setting in self.settings.items()
            if path in now.chosen
            and now.chosen[path] != setting.value
            and not path.startswith(self.inherited)
        }


def base_of(now: Asked, decoder: Entry | None) -> Base:
    """Raises UserError where the recipe does not go with the decoder, or "auto" can't read the images."""
    start = str(decoder.path if decoder.shipped else decoder.name) if decoder else None
    choices: list[Chosen] = []
    if now.recipe == AUTO:
        choices = chosen_by_auto(now, str(decoder.path) if decoder else None)
        experiment = override(named(now.family)(), ["recipe=auto", *(each.assignment for each in choices)])
    else:
        experiment = named(now.recipe or now.family)()
    inherited: tuple[str, ...] = ()
    if decoder:
        past = parse(Run(decoder.path).config(), decoder.name)
        experiment, inherited = inherit(experiment, past, decoder.name), decided(now.family)
    settings = offered(experiment)
    settings[STEPS] = settings[STEPS]._replace(value=None)  # the seconds say how many, unless they are set
    options = ["--recipe", now.recipe] if now.recipe else []
    return Base(experiment, settings, inherited, choices, options + (["--from", start] if start else []))


def chosen_by_auto(now: Asked, start: str | None) -> list[Chosen]:
    """What "auto" chooses by the images, the device and the seconds, whatever else is set."""
    paths = [path for path in now.chosen if path.startswith(("data.", "training.device"))]
    assignments = [f"data.name={now.data}", *(assigned(path, now.chosen[path]) for path in paths)]
    assignments.append(f"training.seconds={now.seconds:g}")
    return automatic(now.family, tuple(assignments), start, datasets.stamp(now.data))


@st.cache_data(max_entries=32, show_spinner="Looking at the images and the device …")
def automatic(family: str, assignments: tuple[str, ...], start: str | None, stamp: str) -> list[Chosen]:
    """`stamp` changes when the images do."""
    from genlab.app.models import awake
    from genlab.recipes.automatic import automatic as choose

    awake()
    return choose(family, list(assignments), start)[1]
