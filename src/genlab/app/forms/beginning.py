"""How a training begins: what is asked for is checked, then `genlab train` is started with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NoReturn

import streamlit as st

from genlab.app import launches, sharing
from genlab.app.forms.settings import worded
from genlab.app.launches import Launch
from genlab.app.navigate import go
from genlab.data.catalogue import CATALOGUE
from genlab.experiment.schema import override
from genlab.recipes import recipe

CADENCE = ("training.log_every=", "training.sample_every=")  # who sets these has said how often to look


def start(
    family: str, data: str, seconds: float | None, assignments: list[str], options: list[str], place: str
) -> NoReturn:
    """`launch`, and go where it can be watched."""
    go(place, run=launch(family, data, seconds, assignments, options).name)


def launch(
    family: str,
    data: str,
    seconds: float | None,
    assignments: list[str],
    options: list[str],
    after: Launch | None = None,
) -> Launch:
    """Start the worker, or queue it behind `after`. `assignments` are `path=value`, as `--set` takes them;
    `options` are others of `genlab train`. Without `seconds` it takes the steps of the config.

    Raises UserError in words, before a process is started, where the settings or the images won't do.
    """
    named = option("--recipe", options)
    override(recipe(family if named in (None, "auto") else named), assignments)
    if option("--from", options) is None:
        find(data)
    label = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(data).stem).strip("-.") or "images"
    watched = [] if any(each.startswith(CADENCE) for each in assignments) else ["--live"]
    return launches.begin(family, label, seconds, [*options, *watched, *worded(assignments)], after)


def option(name: str, options: list[str]) -> str | None:
    """What follows `name` among the words of a command."""
    return options[options.index(name) + 1] if name in options else None


def find(data: str) -> None:
    """Raises UserError, with the nearest name, where there is no such data set, folder or file, or where the
    app is shared and may not read it."""
    sharing.check(data)
    if data not in CATALOGUE and not Path(data).expanduser().exists():
        from genlab.data.source import load

        load(data)


def times(key: str) -> tuple[float, int]:
    """Asks for seconds of training and a seed."""
    left, right, _ = st.columns([1, 1, 2])
    seconds = left.number_input(
        "Seconds of training", 1, 36_000, 60, step=10, key=f"{key}-seconds",
        help="Turned into a number of steps by a short trial on this machine.",
    )  # fmt: skip
    seed = right.number_input(
        "Seed", 0, 2**31, 0, key=f"{key}-seed", help="The same seed, the same run, bit for bit."
    )
    return float(seconds), int(seed)
