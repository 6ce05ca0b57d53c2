"""Pictures in a terminal: two pixels to a character, as half blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.style import Style
from rich.text import Text

HALF = "▀"


def half_blocks(pixels: NDArray[np.uint8], columns: int, gap: int = 1) -> Text:
    """`pixels` (N, C, H, W), C 1 or 3, in one row of `columns` pictures; each character shows the pixel
    above in its foreground and the one below in its background."""
    tiles = [np.broadcast_to(image, (3, *image.shape[1:])) for image in pixels[:columns]]
    spaces = np.zeros((3, tiles[0].shape[1], gap), np.uint8)
    row = np.concatenate([part for tile in tiles for part in (tile, spaces)], axis=2)[:, :, :-gap]
    if row.shape[1] % 2:
        row = np.concatenate([row, np.zeros_like(row[:, :1])], axis=1)
    text = Text(no_wrap=True)
    for y in range(0, row.shape[1], 2):
        for x in range(row.shape[2]):
            above, below = row[:, y, x], row[:, y + 1, x]
            style = Style(color=Color.from_rgb(*map(int, above)), bgcolor=Color.from_rgb(*map(int, below)))
            text.append(HALF, style)
        text.append("\n")
    return text


def fitting(width: int, terminal: int, gap: int = 1) -> int:
    """How many pictures of `width` pixels fit beside each other in `terminal` characters, 1 to 8."""
    return max(1, min(8, (terminal + gap) // (width + gap)))
