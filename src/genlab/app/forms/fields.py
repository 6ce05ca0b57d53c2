"""The fields of a config as widgets: each with its bounds, unit and sentence, all from the one schema.

A widget shows what is asked for and writes back what was changed; so a field that is not drawn keeps its
value, and what is changed elsewhere, as by an address or a reset, is shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from genlab.app.forms.asked import Asked, asked
from genlab.app.forms.settings import GROUPS, Setting
from genlab.app.style import plain

COLUMNS = 3
MOST = 2**53 - 1  # a browser's whole numbers
FOUND = 24  # settings that a search shows
WORDS: dict[str, dict[Any, str]] = {
    "data.channels": {1: "grey", 3: "colour"},
    "data.fit": {"crop": "crop to the middle", "pad": "pad with black"},
    "data.binarise": {"none": "no", "dynamic": "anew each step"},
}  # what choices are called
EMPTY = {
    "data.size": "as they are",
    "data.channels": "as they are",
    "data.limit": "all",
    "optimizer.discriminator_rate": "the same",
    "training.steps": "as many as the seconds allow",
}  # what it means to leave a field empty


def held(key: str, value: Any) -> str:
    """`key`, once the widget of that name is going to show `value`."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return key


def take(path: str, base: Any) -> None:
    asked().choose(path, st.session_state[f"set-{path}"], base)


def draw(setting: Setting, now: Asked, *, label: str | None = None, disabled: bool = False) -> None:
    """The widget of one field. Where it is `disabled`, it shows the base's value."""
    value = setting.value if disabled else now.chosen.get(setting.path, setting.value)
    common: dict[str, Any] = {
        "label": label or setting.label, "help": setting.help, "disabled": disabled,
        "key": held(f"set-{setting.path}", shown(setting, value)),
        "on_change": take, "args": (setting.path, shown(setting, setting.value)),
    }  # fmt: skip
    if setting.choices:
        words = WORDS.get(setting.path, {})
        common |= {"options": setting.choices, "format_func": lambda each: words.get(each, str(each))}
        if setting.optional:
            common |= {"index": None, "placeholder": EMPTY[setting.path]}
        st.selectbox(**common)
    elif setting.kind is bool:
        st.toggle(**common)
    elif setting.kind in (int, float):
        st.number_input(**common, **measures(setting))
    else:
        st.text_input(**common)


def shown(setting: Setting, value: Any) -> Any:
    """A value as the widget has it."""
    return float(value) if setting.kind is float and value is not None else value


def measures(setting: Setting) -> dict[str, Any]:
    """Bounds, step and format of a number's widget. An open bound is drawn closed: what is wrong about the
    very bound is said when the config is checked."""
    kind = setting.kind
    low, high = setting.bound("ge", "gt"), setting.bound("le", "lt")
    found = {
        "min_value": None if low is None else kind(low),
        "max_value": None if high is None else min(kind(high), kind(MOST)),
        "step": step(setting), "format": "%d" if kind is int else "%g",
    }  # fmt: skip
    if setting.optional:
        found |= {"value": None, "placeholder": EMPTY.get(setting.path, "none")}
    return found


def step(setting: Setting) -> int | float:
    """What one press of + adds: a tenth of the value or so, and a round number."""
    value = setting.value or 0
    if setting.kind is int:
        return int(max(1, 10 ** (len(str(value)) - 2)))
    near_one = setting.bound("lt") == 1 and 0.5 <= value < 1
    size = 1 - value if near_one else abs(value)
    if size:
        return float(10 ** math.floor(math.log10(size) + 1e-9))
    high = setting.bound("le", "lt")
    return 0.1 if high is not None and high <= 10 else 1.0


def grid(settings: list[Setting], now: Asked, inherited: tuple[str, ...] = (), named: bool = False) -> None:
    """The widgets of many fields, switches last; with `named`, each says which part it belongs to."""
    ordered = sorted(settings, key=lambda setting: setting.kind is bool)
    for first in range(0, len(ordered), COLUMNS):
        for column, setting in zip(st.columns(COLUMNS), ordered[first : first + COLUMNS], strict=False):
            label = f"{GROUPS[setting.group]}: {setting.label}" if named else None
            with column:
                draw(setting, now, label=label, disabled=setting.path.startswith(inherited))


def everything(settings: Mapping[str, Setting], now: Asked, inherited: tuple[str, ...]) -> None:
    """All fields, one group at a time, or those that a search finds."""
    left, right = st.columns([1, 2], vertical_alignment="center")
    with left:
        text = st.text_input(
            "Find a setting", key="find", placeholder="Find: rate, norm, σ …", icon=":material/search:",
            live=True, label_visibility="collapsed",
        )  # fmt: skip
    if words := (text or "").lower().split():
        found = [each for each in settings.values() if all(word in about(each) for word in words)]
        more = f"; the first {FOUND} of them" if len(found) > FOUND else ""
        right.caption(f"{len(found)} of {len(settings)} settings{more}")
        grid(found[:FOUND], now, inherited, named=True)
        return
    right.caption("Each with its sentence behind the ?, and its name in the config at the end of it.")
    groups = [name for name in GROUPS if any(each.group == name for each in settings.values())]
    group = st.pills(
        "Part", groups, default=groups[0], required=True, format_func=GROUPS.__getitem__, key="group",
        label_visibility="collapsed", persist_state="session", wrap=True,
    )  # fmt: skip
    grid([each for each in settings.values() if each.group == group], now, inherited)


def about(setting: Setting) -> str:
    """All words that a setting can be found by."""
    return f"{GROUPS[setting.group]} {setting.label} {setting.path} {setting.field.description}".lower()


def changes(settings: Mapping[str, Setting], chosen: Mapping[str, Any]) -> None:
    """What differs from the recipe, each with a way back."""
    if not chosen:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="changes"):
        st.caption("You changed:", width="content")
        for path, value in chosen.items():
            was, now = word(path, settings[path].value), word(path, value)
            st.button(
                f"{plain(path)} {plain(was)} → {plain(now)}", icon=":material/undo:",
                key=f"reset-{path}", type="tertiary", on_click=reset, args=(path,), width="content",
                help="Back to what the recipe says",
            )  # fmt: skip
        if len(chosen) > 1:
            st.button(
                "Reset all", key="reset", on_click=reset, args=tuple(chosen), width="content", type="tertiary"
            )


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith(("?", ".", "!")) else ".")


def word(path: str, value: Any) -> str:
    """A value in a few characters."""
    if value is None:
        return EMPTY.get(path, "none")
    return f"{value:g}" if isinstance(value, float) else str(value)


def reset(*paths: str) -> None:
    for path in paths:
        asked().chosen.pop(path, None)
