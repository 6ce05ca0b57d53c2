"""Which image a page is about: drawn, picked from the test set, or uploaded."""

from __future__ import annotations

import tempfile
import warnings
from base64 import b64encode
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from genlab.app.component import component
from genlab.app.drawing import board
from genlab.app.held_out import HeldOut
from genlab.data.fitting import Fit
from genlab.data.pictures import SUFFIXES, UnreadableError, decode
from genlab.errors import UserError
from genlab.runs.sheets import png

PICK, DRAW, UPLOAD = "Pick a test image", "Draw", "Upload one"  # as they stand in the address, too
ANY = "any"
SHOWN = 12  # test images to choose from at a time
MEGABYTES = 20  # of a file


class Given(NamedTuple):
    """An image (C, H, W) uint8, what it is called in a sentence, and in the name of a file."""

    pixels: NDArray[np.uint8]
    words: str
    name: str


def way(key: str = "from") -> str:
    """The choice between the ways to an image, and in the address."""
    return str(
        st.segmented_control(
            "Image", [PICK, DRAW, UPLOAD], default=PICK, required=True, key=key, bind="query-params",
            width="stretch",
        )
    )  # fmt: skip


def given(how: str, tests: HeldOut, fit: Fit, prefix: str = "", start: int = 0) -> Given | None:
    """The image that comes by the way `how`; None where there is none yet. Raises UserError for a file that
    is no picture. `prefix` tells two such choices apart; `start` is the test image at first."""
    if how == DRAW:
        drawn = board(tests.shape, f"{prefix}drawn")
        return None if drawn is None else Given(drawn, "your drawing", "drawing")
    if how == UPLOAD:
        return uploaded(tests.shape, fit, prefix)
    number = picked(tests, prefix, start)
    return Given(tests.pixels[number], tests.called(number), f"test-{number}")


def picked(tests: HeldOut, prefix: str, start: int) -> int:
    """The number of a test image, chosen by its number, or among a few of a class."""
    image, kind, draw = f"{prefix}image", f"{prefix}class", f"{prefix}others"
    left, right = st.columns(2, vertical_alignment="bottom")
    chosen = ANY
    if tests.labels is not None:
        if st.session_state.get(kind, ANY) not in (ANY, *tests.names):  # those of another model's data
            del st.session_state[kind]

        def first_of_class() -> None:
            among = tests.of(st.session_state[kind])
            if len(among):
                st.session_state[image] = int(among[0])

        chosen = left.selectbox(
            "Class", [ANY, *tests.names], key=kind, bind="query-params", on_change=first_of_class
        )
    last = len(tests) - 1
    if image not in st.session_state and image not in st.query_params:
        st.session_state[image] = min(start, last)
    elif st.session_state.get(image, 0) > last:
        st.session_state[image] = last
    number = int(right.number_input(f"Number, to {last}", 0, last, key=image, bind="query-params"))
    thumbnails(tests, some(tests.of(str(chosen)), st.session_state.get(draw, 0)), number, prefix)
    if st.button("Draw others", icon=":material/shuffle:", key=f"{draw}-button", width="stretch"):
        st.session_state[draw] = st.session_state.get(draw, 0) + 1
        st.rerun()
    return number


def some(among: NDArray[np.int64], draw: int) -> NDArray[np.int64]:
    """`SHOWN` of the numbers; the first draw takes the first ones."""
    return among[:SHOWN] if draw == 0 else np.random.default_rng(draw).permutation(among)[:SHOWN]


def thumbnails(tests: HeldOut, numbers: NDArray[np.int64], chosen: int, prefix: str) -> None:
    """A few test images, each of which chooses itself when pressed."""
    key = f"{prefix}thumbnails"

    def choose() -> None:
        number = st.session_state[key].get("picked")
        if isinstance(number, int) and 0 <= number < len(tests):
            st.session_state[f"{prefix}image"] = number

    images = [
        {
            "number": int(number),
            "label": tests.called(int(number)),
            "source": b64encode(png(tests.pixels[number][None], 1)).decode(),
        }
        for number in numbers
    ]
    component("thumbnails")(key=key, data={"images": images, "chosen": chosen}, on_picked_change=choose)


def uploaded(shape: tuple[int, int, int], fit: Fit, prefix: str) -> Given | None:
    file = st.file_uploader(
        f"One picture, at most {MEGABYTES} MB",
        sorted(SUFFIXES),
        key=f"{prefix}file",
        max_upload_size=MEGABYTES,
    )
    turned = shape[0] == 1 and st.toggle(
        "Swap black and white",
        key=f"{prefix}swap",
        help="Ink on paper is dark on light; many data sets are not.",
    )
    part = "its middle" if fit == "crop" else "all of it"
    st.caption(f"It is made {shape[1]} × {shape[2]} px as the training images were: {part} is kept.")
    if file is None:
        return None
    pixels = as_picture(file.getvalue(), file.name, shape, fit)
    return Given(255 - pixels if turned else pixels, f"your picture {file.name}", "upload")


def as_picture(data: bytes, name: str, shape: tuple[int, int, int], fit: Fit) -> NDArray[np.uint8]:
    """A picture's bytes as an image of `shape` (C, H, W), made as those of the data were. Raises UserError
    where it is none, or too large."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged metadata, which nobody here reads
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        path = Path(folder, "picture")
        path.write_bytes(data)
        try:
            return decode(path, shape[1], shape[0], fit)
        except UnreadableError as error:
            raise UserError(
                f"{name} cannot be used as a picture: {error}; choose a PNG, JPEG or WebP file"
            ) from error
