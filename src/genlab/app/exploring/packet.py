"""What the browser needs of a model, sent to it once: the decoder, and the test images with their codes."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.app import models
from genlab.app.entries import Entry
from genlab.app.held_out import held_out
from genlab.errors import UserError

LARGEST = 16 * 2**20  # letters of a decoder that a browser is asked to hold
THUMBNAIL = 32  # px of the longer side of an image that is pointed at: larger ones would weigh megabytes


@dataclass(frozen=True, eq=False)
class Known:
    """Codes (N, Z) of test images, posterior means, with their classes, as far as there are any."""

    codes: NDArray[np.float64]
    labels: NDArray[np.int64] | None
    names: tuple[str, ...]
    pixels: NDArray[np.uint8]

    def mean(self, name: str) -> NDArray[np.float64]:
        """The mean code (Z,) of a class."""
        assert self.labels is not None
        return np.asarray(self.codes[self.labels == self.names.index(name)].mean(axis=0))

    @property
    def classes(self) -> list[str]:
        """The classes that there are images of."""
        if self.labels is None:
            return []
        return [name for index, name in enumerate(self.names) if bool((self.labels == index).any())]


def known(coder: Entry | None) -> Known | None:
    """The codes that `coder`, a run with an encoder, gives the test images of its data; None without one, or
    where its images are gone."""
    if coder is None or coder.saved is None or coder.family == "gan":
        return None
    try:
        held_out(coder)
    except UserError:
        return None
    return _known(coder, str(coder.path), coder.saved)


@st.cache_resource(max_entries=4, show_spinner="Encoding the test images …")
def _known(_coder: Entry, path: str, step: int) -> Known:
    from genlab.experiment.encoding import as_trained

    tests, trained = held_out(_coder), models.opened(_coder)
    codes = trained.encode(as_trained(tests.pixels, trained.experiment))
    read = codes[:, : trained.model.decoder.latent_dim]  # of two stochastic layers, the one that is decoded
    return Known(read.double().numpy(), tests.labels, tests.names, tests.pixels)


def network(entry: Entry) -> dict[str, Any]:
    """The decoder of `entry` for the browser. Raises UserError where it has no such form, or is too large."""
    assert entry.saved is not None
    return _network(entry, str(entry.path), entry.saved)


@st.cache_resource(max_entries=4, show_spinner=False)
def _network(_entry: Entry, path: str, step: int) -> dict[str, Any]:
    from genlab.networks.portable import portable

    model = models.opened(_entry).model
    parameters = sum(parameter.numel() for parameter in model.decoder.parameters())
    if parameters * 4 * 4 / 3 > LARGEST:
        raise UserError(f"its {parameters:,} parameters are more than a browser should hold")
    return portable(model.decoder, model.observation)


def packed(key: str, net: dict[str, Any] | None, codes: Known | None) -> dict[str, Any]:
    """All of it as JSON: numbers as base64 of little-endian float32, pixels as bytes."""
    found: dict[str, Any] = {"key": key, "net": net, "count": 0}
    if codes is not None:
        pixels = thumbnails(codes.pixels)
        found |= {
            "count": len(codes.codes), "codes": coded(codes.codes), "classes": list(codes.names),
            "labels": None if codes.labels is None else [int(label) for label in codes.labels],
            "pixels": b64encode(pixels.tobytes()).decode(), "side": list(pixels.shape[1:]),
        }  # fmt: skip
    return found


def thumbnails(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N, C, H, W) with neither side longer than `THUMBNAIL`: means over squares of pixels, where larger."""
    number, channels, height, width = pixels.shape
    side = -(-max(height, width) // THUMBNAIL)
    if side == 1:
        return pixels
    rows, columns = height // side, width // side
    whole = pixels[:, :, : rows * side, : columns * side]
    squares = whole.reshape(number, channels, rows, side, columns, side)
    return np.asarray(np.rint(squares.mean(axis=(3, 5), dtype=np.float32)), np.uint8)


def coded(numbers: NDArray[np.float64]) -> str:
    return b64encode(np.ascontiguousarray(numbers, "<f4").tobytes()).decode()
