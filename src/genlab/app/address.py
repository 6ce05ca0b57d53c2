"""What is set on a page is in its address, by names that stay what they are.

Streamlit binds a widget to the address by the words that it shows: those of a run change with its title and
its steps, and a link to it would soon lead elsewhere. Here the address holds the option itself. `arrive`
stands before a widget, `leave` after it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

WRITTEN = "what we have put into the address"


class Written(NamedTuple):
    """The values that were put into the address of a page, which is known by its hash."""

    page: str
    values: list[str]


def arrive(key: str, options: Collection[str], default: str | None = None) -> None:
    """What a link or a reload asks for becomes the value of the widget `key`, as far as it is an option; what
    is none any more is forgotten, and `default` takes its place."""
    asked = [value for value in news(key) if value in options]
    value = asked[-1] if asked else st.session_state.get(key)
    value = value if value in options else default
    if value is not None:  # set anew each time: the browser knows it by its words, which may have changed
        st.session_state[key] = value
    else:
        st.session_state.pop(key, None)


def arrive_several(key: str, options: Collection[str]) -> None:
    """The same for a widget whose value is a list; what is no option any more is left out."""
    values = [value for value in news(key) if value in options] or st.session_state.get(key)
    if values is not None:
        st.session_state[key] = [value for value in values if value in options]


def news(key: str) -> list[str]:
    """What the address asks for, where it is not what we wrote: someone came here by it."""
    asked, before = st.query_params.get_all(key), written().get(key)
    return asked if before is None or asked != before.values else []


def leave(key: str, value: str | Sequence[str] | None, default: str | None = None) -> None:
    """Put the widget's value into the address, unless it is the default. Each change is a step that the
    browser can go back: one who does so, and finds the address without it, is let go further back."""
    values = [value] if isinstance(value, str) else list(value or [])
    now = Written(page(), [] if value == default else values)
    asked = st.query_params.get_all(key)
    went_back = not asked and written().get(key) == now
    if asked != now.values and not went_back:
        st.query_params[key] = now.values
    written()[key] = now


def page() -> str:
    context = get_script_run_ctx()
    return context.page_script_hash if context else ""


def written() -> dict[str, Written]:
    found: dict[str, Written] = st.session_state.setdefault(WRITTEN, {})
    return found
