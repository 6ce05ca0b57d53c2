"""A board to draw an image on, which comes back as small as the model's."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.app.component import component

AS_MNIST = (1, 28, 28)  # the shape of images that are centred as MNIST's were, unless that is switched off


def board(shape: tuple[int, int, int], key: str) -> NDArray[np.uint8] | None:
    """The board, and what is drawn on it as an image of `shape` (C, H, W), H = W; None while it is empty.

    A drawing stays when the page is left, and is made anew for a model of another size."""
    kept = f"{key} kept"
    drawing: Any = st.session_state.get(kept)
    data = {
        "size": shape[1],
        "channels": shape[0],
        "centring": shape == AS_MNIST,
        "drawing": drawing,
        "resend": bool(drawing) and as_image(drawing, shape) is None,
    }
    name = f"{key}-{shape[0]}x{shape[1]}"  # another board for another size
    result = component("drawing")(key=name, data=data, on_drawing_change=lambda: None)
    if getattr(result, "drawing", None):
        drawing = st.session_state[kept] = dict(result.drawing)
    return as_image(drawing, shape)


def as_image(drawing: Any, shape: tuple[int, int, int]) -> NDArray[np.uint8] | None:
    """The pixels of what the board sent, (C, H, W); None where there are none, or not so many."""
    try:
        pixels = np.frombuffer(b64decode(drawing["pixels"], validate=True), np.uint8)
    except (TypeError, KeyError, ValueError, Error):
        return None
    return pixels.reshape(shape) if pixels.size == np.prod(shape) else None
