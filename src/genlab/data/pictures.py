"""One picture from disk, and nothing that it could do to us: the format is one of a few, the size is read
before a pixel is decoded, and whatever goes wrong has a short name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from genlab.data.bounds import MIN_SIDE
from genlab.data.dataset import Pixels
from genlab.data.fitting import Fit
from genlab.errors import UserError

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm")
)
MAX_PIXELS = 64_000_000  # a large photograph; decoded in colour it takes 192 MB

Image.MAX_IMAGE_PIXELS = MAX_PIXELS


class UnreadableError(Exception):
    """Why a file cannot be used as a picture, in a few words."""


def measure(path: Path) -> tuple[int, int]:
    """(shorter side in px, channels: 1 or 3) of a picture, from its header alone."""
    with _open(path) as image:
        return min(image.size), _channels(image)


def read_picture(path: Path, shape: tuple[int, int, int], fit: Fit = "crop") -> Pixels:
    """A picture as `shape` (C, H, W), H = W, uint8. Raises UserError, naming the file."""
    channels, height, width = shape
    assert height == width, shape
    try:
        return decode(path, width, channels, fit)
    except UnreadableError as error:
        raise UserError(f"{path} cannot be used as a picture: {error}.") from error


def decode(path: Path, size: int, channels: int, fit: Fit) -> Pixels:
    """A picture as (channels, size, size) uint8: upright as its EXIF says, what is transparent on white,
    resized with antialiasing, then its middle (crop) or all of it on black (pad). Raises UnreadableError."""
    with _open(path) as image:
        try:
            image.draft(None, (2 * size, 2 * size))  # a JPEG far larger than needed is decoded smaller
            upright = ImageOps.exif_transpose(image)
            opaque = _opaque(upright, "L" if channels == 1 else "RGB")
        except UnreadableError:
            raise
        except Exception as error:  # the decoders raise anything at all on a damaged file
            raise UnreadableError(f"damaged ({error or type(error).__name__})") from error
    reshape = ImageOps.fit if fit == "crop" else ImageOps.pad
    pixels = np.asarray(reshape(opaque, (size, size), method=Image.Resampling.BICUBIC), np.uint8)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def _open(path: Path) -> Image.Image:
    if not path.is_file():  # nor is a pipe one, which would be waited for without end
        raise UnreadableError("there is no such file")
    try:
        image = Image.open(path, formats=FORMATS)
    except UnidentifiedImageError as error:
        raise UnreadableError("not a picture") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableError(f"more than {MAX_PIXELS // 10**6} million pixels") from error
    except Exception as error:  # the parsers of headers raise anything at all on a damaged file
        raise UnreadableError(f"damaged ({error or type(error).__name__})") from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        image.close()
        raise UnreadableError(f"more than {MAX_PIXELS // 10**6} million pixels")
    if min(width, height) < MIN_SIDE:
        image.close()
        raise UnreadableError(f"{width}×{height} px, but at least {MIN_SIDE}×{MIN_SIDE} are needed")
    return image


def _channels(image: Image.Image) -> int:
    if image.mode == "P":
        palette = np.asarray(image.getpalette("RGB") or [0, 0, 0]).reshape(-1, 3)
        return 1 if (palette == palette[:, :1]).all() else 3
    return 1 if image.mode in ("1", "L", "LA", "La", "I", "F") or image.mode.startswith("I;16") else 3


def _opaque(image: Image.Image, mode: str) -> Image.Image:
    """The picture in mode "L" or "RGB"; sixteen bits become eight, transparency becomes white paper."""
    if image.mode == "F":
        raise UnreadableError("floating-point pixels")
    if image.mode == "I" or image.mode.startswith("I;16"):
        levels = np.clip(np.asarray(image).astype(np.int64), 0, 65535)
        image = Image.fromarray(((levels + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image.convert(mode)
