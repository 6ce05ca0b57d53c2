"""A run's config against the recipe that it came from."""

from __future__ import annotations

from typing import Any

import streamlit as st

from genlab.app.entries import Entry
from genlab.app.style import plain
from genlab.errors import UserError
from genlab.experiment.schema import fields
from genlab.recipes import RECIPES, recipe
from genlab.runs.configs import MISSING, differing

ITS_OWN = ("data.shape", "data.digest", "start")  # every run has its own, whatever the recipe


def page(entry: Entry) -> None:
    try:
        config = entry.run.config()
    except UserError as error:
        st.error(plain(error))
        return
    name = str(config.get("recipe"))
    rows = changed(config)
    if rows is None:
        st.caption(f"There is no recipe called {plain(name)} here: below is the whole config.")
    elif rows:
        meanings = dict(fields())
        st.table(
            {
                "setting": [plain(key) for key in rows],
                "here": [worded(here) for _, here in rows.values()],
                "recipe": [worded(there) for there, _ in rows.values()],
                "meaning": [plain(getattr(meanings.get(key), "description", None) or "") for key in rows],
            },
            border="horizontal", hide_index=True, alt="settings that differ from the recipe",
        )  # fmt: skip
    else:
        st.caption(f"Every setting is that of the recipe {plain(name)}.")
    with st.expander("All of the config", expanded=rows is None):
        st.json(config, expanded=1)


def changed(config: dict[str, Any]) -> dict[str, tuple[Any, ...]] | None:
    """The settings that are not the recipe's, as (the recipe's, the run's); None where there is no such
    recipe."""
    name = config.get("recipe")
    if name not in RECIPES:
        return None
    found = differing([recipe(str(name)).model_dump(mode="json"), config])
    return {key: values for key, values in found.items() if key not in ITS_OWN}


def worded(value: Any) -> str:
    return "none" if value is None else plain(value) if value != MISSING else MISSING
