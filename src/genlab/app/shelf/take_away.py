"""What one takes away: the run as a zip, the networks as ONNX, code that loads it, a line for a terminal."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from genlab.app import models
from genlab.app.entries import Entry
from genlab.app.saving import offer
from genlab.app.style import plain
from genlab.errors import UserError
from genlab.runs.packing import command, pack, safe, snippet

GRAPHS = ("decoder.onnx", "encoder.onnx")


def page(entry: Entry) -> None:
    place = str(entry.path.resolve())
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**All of it**")
        name = f"{safe(entry.name)}.zip"
        offer("the run as a zip", lambda: zipped(entry), name, "application/zip", key="zip")
        st.caption(
            "Config, events, newest and best checkpoint, samples, report, and a README that says how to load "
            "it. It holds no code and no pickles."
        )
    with right:
        onnx(entry)
    st.markdown("**In Python**")
    st.code(snippet(place), language="python", wrap_lines=True)
    st.markdown("**In a terminal**")
    st.code(command(place), language="bash", wrap_lines=True)


def zipped(entry: Entry) -> bytes:
    """Packed on the disk first, so that memory holds the finished file alone."""
    with TemporaryDirectory(prefix="genlab-") as folder:
        target = Path(folder) / "run.zip"
        pack(entry.run, target)
        return target.read_bytes()


def onnx(entry: Entry) -> None:
    st.markdown("**ONNX**")
    if importlib.util.find_spec("onnxscript") is None:
        st.caption("To run the networks without PyTorch, install the extra: `pip install 'genlab[onnx]'`.")
        return
    if entry.saved is None:
        st.caption("There is no checkpoint yet to make ONNX of.")
        return
    key = f"onnx-{entry.path}-{entry.saved}"
    if st.button("Make ONNX", icon=":material/deployed_code:", key="onnx", width="stretch"):
        st.session_state[key] = True
    st.caption(
        "Decoder (z → image) and, where there is one, encoder (image → mean and log-variance of z), with any "
        "batch size, checked against PyTorch to 1e-4."
    )
    if st.session_state.get(key):
        try:
            graphs = made(str(entry.path), entry.saved)
        except UserError as error:
            st.error(plain(error), icon=":material/error:")
            return
        for name, data in graphs.items():
            offer(name, data, f"{safe(entry.name)}-{name}", "application/octet-stream", key=f"get-{name}")


@st.cache_data(max_entries=4, show_spinner="Making ONNX, and checking it against PyTorch …")
def made(path: str, step: int) -> dict[str, bytes]:
    """The ONNX files of the run at `path`, by name. Raises UserError."""
    models.awake()
    from genlab.experiment.export import export
    from genlab.experiment.trained import open_run
    from genlab.runs.store import find_run

    with TemporaryDirectory(prefix="genlab-") as folder:
        export(open_run(find_run(path), step=step), Path(folder))
        return {name: (Path(folder) / name).read_bytes() for name in GRAPHS if (Path(folder) / name).exists()}
