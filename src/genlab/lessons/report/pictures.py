"""Images inside a page: many small ones in one PNG, as a data URI."""

from __future__ import annotations

import base64
from html import escape
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genlab.lessons.report.content import Pixels


def sheet(pixels: Pixels, columns: int, gap: int = 1) -> Image.Image:
    """`pixels` (N, C, H, W) row by row, transparent gaps between, so that it stands on any background."""
    count, channels, height, width = pixels.shape
    rows = -(-count // columns)
    size = (rows * (height + gap) - gap, columns * (width + gap) - gap)
    canvas: NDArray[np.uint8] = np.zeros((*size, channels + 1), np.uint8)
    for index, image in enumerate(pixels):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        canvas[top : top + height, left : left + width, :-1] = image.transpose(1, 2, 0)
        canvas[top : top + height, left : left + width, -1] = 255
    return Image.fromarray(canvas, "LA" if channels == 1 else "RGBA")


def data_uri(image: Image.Image) -> str:
    buffer = BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def scale_for(side: int, target: int) -> int:
    """How many times an image of `side` pixels is magnified, a whole number, to come near `target`."""
    return max(1, round(target / side))


def picture(pixels: Pixels, columns: int, alt: str, cell: int) -> str:
    """An <img> of the sheet, each image about `cell` pixels wide on the page."""
    image = sheet(pixels, columns)
    scale = scale_for(pixels.shape[3], cell)
    return (
        f'<img class="pixels" src="{data_uri(image)}" width="{image.width * scale}" '
        f'height="{image.height * scale}" alt="{escape(alt)}">'
    )
