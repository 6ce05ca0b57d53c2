"""The pad, the image and the sliders: a component that decodes in the browser, or asks the server to."""

from __future__ import annotations

import math
from base64 import b64encode
from importlib.resources import files
from pathlib import Path
from typing import Any

import streamlit as st

from genlab.app import models
from genlab.app.component import component
from genlab.app.entries import Entry
from genlab.app.exploring.directions import Basis
from genlab.app.exploring.packet import Known, coded, network, packed
from genlab.app.style import PALETTE, plain
from genlab.errors import UserError

DECODER = Path(str(files("genlab.lessons.report") / "decoder.js"))  # one, for the report and for this page
KEY = "explorer"


def draw(entry: Entry, known: Known | None, basis: Basis) -> None:
    """The component for the model of `entry`. What is large is only sent where the browser lacks it."""
    try:
        net, why = network(entry), ""
    except UserError as error:
        net, why = None, str(error)
    key = f"{entry.path}:{entry.saved}:{0 if known is None else len(known.codes)}"
    model, state = models.opened(entry).model, st.session_state.get(KEY) or {}
    here = state.get("have") == key
    result: Any = component("explore", DECODER)(
        key=KEY,
        data={
            "packet": None if here else packed(key, net, known), "key": key, "z": place(),
            "latent_dim": model.decoder.latent_dim, "shape": list(model.decoder.shape),
            "basis": {"rows": coded(basis.rows), "centre": coded(basis.centre), "reach": coded(basis.reach),
                      "names": list(basis.names)},
            "colours": list(PALETTE), "dark": st.context.theme.type == "dark",
            "answer": answered(entry, state.get("asked")) if net is None else None,
        },
        on_have_change=lambda: None, on_z_change=lambda: None, on_asked_change=lambda: None,
    )  # fmt: skip
    if result.z:
        st.query_params["z"] = ",".join(f"{value:g}" for value in result.z)
    if why:
        st.caption(f"The server decodes, image by image; the browser can't run this decoder: {plain(why)}.")


def place() -> list[float] | None:
    """The z of the address; None where it says nothing that can be read."""
    try:
        found = [float(value) for value in st.query_params.get("z", "").split(",")]
    except ValueError:
        return None
    return found if all(math.isfinite(value) for value in found) else None


def answered(entry: Entry, asked: Any) -> dict[str, Any] | None:
    """The image of the z that the browser asks for, as a PNG; None for what is no question."""
    import torch

    try:
        number, z = int(asked["number"]), torch.tensor(asked["z"], dtype=torch.float32)
    except (TypeError, KeyError, ValueError):
        return None
    opened = models.opened(entry)
    if z.shape != (opened.model.decoder.latent_dim,) or not bool(z.isfinite().all()):
        return None
    png = models.as_png(opened.decode(z[None]), 1, scale=1)
    return {"number": number, "png": b64encode(png).decode()}
