"""Sheets of images: many small pictures side by side in one PNG."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genlab.runs.files import replacing


def sheet(pixels: NDArray[np.uint8], columns: int, gap: int = 1) -> Image.Image:
    """`pixels` (N, C, H, W) row by row in `columns` columns, `gap` grey pixels apart."""
    count, channels, height, width = pixels.shape
    rows = -(-count // columns)
    canvas = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, channels), 96, np.uint8)
    for index, image in enumerate(pixels):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        canvas[top : top + height, left : left + width] = image.transpose(1, 2, 0)
    return Image.fromarray(canvas[:, :, 0] if channels == 1 else canvas)


def png(pixels: NDArray[np.uint8], columns: int, scale: int = 1) -> bytes:
    """The sheet as PNG bytes, each pixel `scale` pixels wide."""
    image = sheet(pixels, columns)
    if scale > 1:
        image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    buffer = BytesIO()
    image.save(buffer, format="PNG", optimize=False, compress_level=4)
    return buffer.getvalue()


def write_sheet(path: Path, pixels: NDArray[np.uint8], columns: int, scale: int = 1) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(png(pixels, columns, scale))
