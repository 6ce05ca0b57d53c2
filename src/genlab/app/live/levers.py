"""What can be done to a run as it stands: stop, pause, go on, turn the learning rate or β."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from genlab.app import launches
from genlab.app.entries import Entry
from genlab.app.navigate import go
from genlab.app.style import count, plain
from genlab.errors import UserError


class Lever(NamedTuple):
    """A setting that may change while a run trains: where the config has it, and how it is asked for."""

    what: str
    label: str
    field: tuple[str, str]
    families: tuple[str, ...]
    low: float
    high: float
    help: str


LEVERS = (
    Lever("learning_rate", "Learning rate", ("optimizer", "learning_rate"),
          ("vae", "gan", "vaegan"), 1e-7, 1.0, "Adam’s step size: how far one update moves the weights."),
    Lever("discriminator_rate", "Discriminator’s learning rate", ("optimizer", "discriminator_rate"),
          ("gan", "vaegan"), 1e-7, 1.0, "Its own step size, where it shall differ from the generator’s."),
    Lever("beta", "β", ("objective", "beta"), ("vae", "vaegan"), 0.0, 1000.0,
          "Weight of the KL term: 0 is an autoencoder, 1 a VAE, more presses codes towards N(0, I)."),
)  # fmt: skip


def buttons(entry: Entry) -> None:
    """Those that make sense in this state, the most likely one last."""
    match entry.state:
        case "running":
            adjust(entry)
            press("Pause", ":material/pause:", "pause", entry.run.request_pause,
                  "Waits after this step; the run stays in memory.")  # fmt: skip
            stop(entry)
        case "paused":
            adjust(entry)
            press("Go on", ":material/play_arrow:", "go-on", entry.run.request_go_on, primary=True)
            stop(entry)
        case "waiting" | "starting" if entry.progress is None or not entry.progress.steps:
            if entry.launch:
                press("Cancel", ":material/close:", "cancel", lambda: cancel(entry))
        case "not started":
            if entry.launch:
                press("Remove it", ":material/delete:", "remove", lambda: forget(entry))
        case "stopped" | "interrupted" | "new":
            press("Resume", ":material/resume:", "resume", lambda: resume(entry),
                  "Goes on bit for bit as if it had never stopped.", primary=True)  # fmt: skip
        case "completed":
            onward(entry)


def press(
    label: str, icon: str, key: str, act: Callable[[], object], help: str | None = None, primary: bool = False
) -> None:
    if st.button(label, icon=icon, key=key, help=help, type="primary" if primary else "secondary"):
        act()


def stop(entry: Entry) -> None:
    stopping = entry.run.stop_requested()
    if st.button(
        "Stopping …" if stopping else "Stop", icon=":material/stop:", disabled=stopping, key="stop",
        help="Ends after this step and keeps a checkpoint.",
    ):  # fmt: skip
        entry.run.request_stop()


def cancel(entry: Entry) -> None:
    assert entry.launch is not None
    launches.cancel(entry.launch)
    st.rerun()


def forget(entry: Entry) -> None:
    assert entry.launch is not None
    launches.forget(entry.launch)
    st.rerun()


def resume(entry: Entry) -> None:
    launches.resume(entry.run)
    st.rerun()


def onward(entry: Entry) -> None:
    """The way to the next page."""
    gan = entry.family == "gan"
    place, label = ("generate", "Next: generate →") if gan else ("reconstruct", "Next: reconstruct →")
    if st.button(label, type="primary", key=f"to-{place}"):
        go(place, run=entry.name)


def adjust(entry: Entry) -> None:
    """Asks for new values, and lists those that were given, each with the step from which it holds."""
    config = entry.run.config()
    with st.popover("Adjust", icon=":material/tune:"):
        for lever in LEVERS:
            if entry.family in lever.families and lever.field[1] in config.get(lever.field[0], {}):
                one(entry, lever, config)
        changes = entry.run.changes()
        for change in changes[-6:]:
            name = next((each.label for each in LEVERS if each.what == change.what), change.what)
            st.caption(f"{plain(name)} {change.value:g} from step {count(change.step + 1)} on")
        st.caption(
            "Every change is kept with its step, and taken again where the run is resumed: it stays "
            "reproducible."
        )


def one(entry: Entry, lever: Lever, config: dict[str, dict[str, float | None]]) -> None:
    section, field = lever.field
    past = [change.value for change in entry.run.changes() if change.what == lever.what]
    now = past[-1] if past else config[section][field] or config["optimizer"]["learning_rate"]
    value = st.number_input(
        lever.label, lever.low, lever.high, float(now or 0.0), format="%g", help=lever.help,
        key=f"lever-{lever.what}-{entry.name}", step=float(now or 1.0) / 2,
    )  # fmt: skip
    if st.button(f"Set {lever.label}", key=f"set-{lever.what}"):
        try:
            entry.run.request_change(lever.what, float(value))
        except UserError as error:
            st.error(plain(error))
