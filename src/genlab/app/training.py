"""Training: the form that starts it, and the panel that shows it as it goes."""

from __future__ import annotations

import re
import shlex
import time
from pathlib import Path

import streamlit as st

from genlab.app import charts, entries, launches, receipt
from genlab.app.entries import Entry
from genlab.app.following import Progress
from genlab.app.navigate import go
from genlab.app.style import SHEET, count, duration, plain
from genlab.data.catalogue import CATALOGUE
from genlab.errors import UserError
from genlab.experiment.schema import override
from genlab.recipes import recipe

REFRESH = 1.0  # seconds between two looks at a training
SETTINGS = "as in `objective.beta=4 training.threads=1`; `genlab recipes --fields` lists them"


def vae_form(key: str, show: str = "train") -> None:
    """Asks what a VAE should be trained on and for how long, and starts it."""
    with st.form(f"{key}-vae", border=False):
        seconds, seed = times(key)
        with st.expander("More settings"):
            data = st.selectbox(
                "Images", list(CATALOGUE), accept_new_options=True, key=f"{key}-data",
                help="A named set, the path of a folder of images, or of an .npz file. MNIST is built in.",
            )  # fmt: skip
            latent = st.number_input("Dimensions of z", 1, 512, 32, key=f"{key}-latent")
            extra = st.text_input("Any field of the config", help=SETTINGS, key=f"{key}-extra")
        pressed = st.form_submit_button("Train a VAE", type="primary", icon=":material/play_arrow:")
    if pressed:
        chosen = [f"data.name={data}", f"training.seed={seed}", f"network.latent_dim={latent}"]
        start("vae", str(data), float(seconds), [*chosen, *split(extra)], [], show)


def times(key: str) -> tuple[float, int]:
    left, right, _ = st.columns([1, 1, 2])
    seconds = left.number_input(
        "Seconds of training", 1, 36_000, 60, step=10, key=f"{key}-seconds",
        help="Turned into a number of steps by a short trial on this machine.",
    )  # fmt: skip
    seed = right.number_input(
        "Seed", 0, 2**31, 0, key=f"{key}-seed", help="The same seed, the same run, bit for bit."
    )
    return float(seconds), int(seed)


def split(text: str | None) -> list[str]:
    try:
        return shlex.split(text or "", posix=True)
    except ValueError as error:
        raise UserError(f"the field settings can't be read ({error}); write {SETTINGS}") from error


def start(
    family: str, data: str, seconds: float, assignments: list[str], options: list[str], show: str
) -> None:
    """Check the settings, start the worker, and go where it can be watched."""
    override(recipe(family), assignments)  # a mistake is said here, before a process is started for it
    label = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(data).stem).strip("-.") or "images"
    settings = [part for each in assignments for part in ("--set", each)]
    launch = launches.begin(family, label, seconds, [*options, *settings])
    st.session_state["fresh"] = False  # the form for another one has done its work
    go(run=launch.name, show=show)


def watch(entry: Entry, with_receipt: bool = False) -> None:
    """The panel of a run, drawn anew every second while the run is live and once when it has ended."""
    st.fragment(panel, run_every=REFRESH if entry.live else None)(str(entry.path), entry.state, with_receipt)


def panel(path: str, state: str, with_receipt: bool) -> None:
    entry = look(Path(path))
    if entry is None or entry.state != state:
        st.rerun()  # the whole page: what can be done with the run has changed
    heading(entry)
    if entry.progress is None or not entry.progress.steps:
        waiting(entry)
        return
    bar(entry, entry.progress)
    notices(entry.progress)
    if with_receipt and entry.progress.receipt:
        receipt.card(entry.progress.receipt)
    pictures(entry, entry.progress)


def look(path: Path) -> Entry | None:
    """None where the folder was removed meanwhile."""
    if not (path / "config.json").exists() and launches.find(path) is None:
        return None
    return entries.read(path)


def heading(entry: Entry) -> None:
    left, right = st.columns([4, 1], vertical_alignment="center")
    data = f" on {plain(entry.data)}" if entry.data else ""
    left.markdown(f"#### {plain(entry.title)}{data} &nbsp; :small[:gray[{plain(entry.name)}]]")
    with right:
        button(entry)
    if entry.complaint:
        st.error(trouble(entry), icon=":material/error:")


def trouble(entry: Entry) -> str:
    said = plain(entry.complaint)
    if entry.state == "not started":
        return f"This training did not start: {said}"
    return f"This training ended early: {said}" if entry.progress else f"This run can't be read: {said}"


def button(entry: Entry) -> None:
    """The one thing that can be done to the run as it stands."""
    launch = entry.launch
    if entry.state == "running":
        stopping = entry.run.stop_requested()
        label = "Stopping …" if stopping else "Stop"
        if st.button(label, icon=":material/stop:", disabled=stopping, width="stretch", key="stop",
                     help="Ends after this step and keeps a checkpoint."):  # fmt: skip
            entry.run.request_stop()
    elif entry.state == "starting" and entry.progress is None:
        if st.button("Cancel", icon=":material/close:", width="stretch", key="cancel") and launch:
            launches.cancel(launch)
            st.rerun()
    elif entry.state == "not started":
        if st.button("Remove it", icon=":material/delete:", width="stretch", key="remove") and launch:
            launches.forget(launch)
            st.rerun()
    elif entry.state in ("stopped", "interrupted", "new") and st.button(
        "Resume", icon=":material/resume:", width="stretch", key="resume", type="primary",
        help="Goes on bit for bit as if it had never stopped.",
    ):  # fmt: skip
        launches.resume(entry.run)
        st.rerun()
    elif entry.state == "completed":
        show, label = (
            ("generate", "Next: generate →")
            if entry.family == "gan"
            else ("reconstruct", "Next: reconstruct →")
        )
        if st.button(label, type="primary", key=f"to-{show}", width="stretch"):
            go(show=show)


def waiting(entry: Entry) -> None:
    """Before the first step: what the worker is busy with."""
    launch = entry.launch
    if launch is None or not entry.live:
        return
    passed = duration(time.time() - launch.began)
    said = launch.log()
    measuring = launch.seconds is not None and entry.progress is None
    if measuring and said:
        what = f"Measuring how many steps fit in {launch.seconds:g} s …"
    elif said:
        what = "Building the networks and reading the images …"
    else:
        what = "Starting a process of its own for the training …"
    st.progress(0.0, text=f"{what} &nbsp; :gray[{passed}]")
    st.caption("You may close this page, or even stop the app: the training goes on, and is found again.")


def bar(entry: Entry, progress: Progress) -> None:
    share = min(1.0, progress.step / progress.steps)
    facts = [f"step {count(progress.step)} of {count(progress.steps)}"]
    if entry.state == "running":
        facts += [f"about {duration(progress.left)} left"] if progress.left is not None else []
        facts += [f"{count(progress.rate)} images/s"] if progress.rate else []
    else:
        facts += [f"{duration(progress.seconds)} of training", entries.WORDS.get(entry.state, entry.state)]
    st.progress(share, text=" · ".join(facts))


def notices(progress: Progress) -> None:
    """The newest warning with what to try, and the newest validation."""
    if progress.warning:
        st.warning(plain(progress.warning.line), icon=":material/warning:")
    if progress.validated:
        line = progress.validated.line
        st.caption(plain(line[:1].upper() + line[1:]))


def pictures(entry: Entry, progress: Progress) -> None:
    left, right = st.columns([SHEET, SHEET], gap="medium")
    with left:
        picture(
            entry, progress, "samples", "Samples: the same 64 latents throughout, so what moves is learning."
        )
    with right:
        if progress.curves.steps:
            charts.draw(progress.curves, progress.steps)
            st.caption("Faint: batch by batch. Strong: smoothed.")
    if entry.family != "gan":
        note = (
            "Test images, each with its reconstruction to the right of it. The model never trained on these."
        )
        picture(entry, progress, "reconstructions", note)


def picture(entry: Entry, progress: Progress, content: str, note: str) -> None:
    path = progress.sheets.get(content)
    if path and (entry.path / path).is_file():
        step = int(re.sub(r"\D", "", Path(path).stem) or 0)
        st.image((entry.path / path).read_bytes(), alt=f"{content} after {step} steps")
        st.caption(f"{note} Step {count(step)}.")
    elif entry.live:
        st.skeleton(height=220)
        st.caption(f"The first {content} appear after 10 steps.")
