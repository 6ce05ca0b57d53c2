"""Frames as an animation that any browser, slide or chat shows."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def gif(frames: NDArray[np.uint8], milliseconds: int, scale: int = 1) -> bytes:
    """Frames (N, H, W) of grey or (N, H, W, 3) of colour as a GIF that plays for ever, `milliseconds` each,
    every pixel `scale` pixels wide. Greys stay what they are; colours are brought to one palette, undithered,
    since dots that dance from frame to frame would be taken for the model's."""
    images = [Image.fromarray(np.repeat(np.repeat(frame, scale, 0), scale, 1)) for frame in frames]
    if frames.ndim == 4:
        palette = Image.fromarray(np.concatenate(list(frames[:: max(1, len(frames) // 8)]))).quantize(255)
        images = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    buffer = BytesIO()
    images[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=images[1:],
        duration=milliseconds,
        loop=0,
        disposal=1,
    )
    return buffer.getvalue()
