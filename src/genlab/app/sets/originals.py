"""Images as they are on disk, beside what a model will see of them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from genlab.app import models
from genlab.app.sets.overview import Overview, Seen, is_pictures
from genlab.data.catalogue import CATALOGUE
from genlab.data.choosing import train_and_test
from genlab.data.fitting import fitted
from genlab.data.folder import plan_folder
from genlab.data.npz import read_npz
from genlab.data.pictures import FORMATS, decode

SHOWN = 6  # pairs
SIDE = 224  # px that a small image is enlarged to, by whole pixels
WIDE = 320  # px that an original is wide at most

Pixels = NDArray[np.uint8]


class Pair(NamedTuple):
    """An original and what the model sees of it, as PNGs to be shown, and the size of each in words; `name`
    is that of its file."""

    name: str
    original: bytes
    size: str
    model: bytes
    seen: str


@st.cache_data(max_entries=24, show_spinner="Preparing some images …")
def pairs(seen: Seen, size: int, channels: int, stamp: str, _native: Overview) -> list[Pair]:
    """Some training images of `seen`, and the same as a model sees them with `size` px a side and `channels`.
    `_native` is what was read of them as they are."""
    if is_pictures(seen.name):
        return of_pictures(seen, size, channels, stamp)
    pixels = arrays(seen, _native)
    if pixels.shape[2:] != (size, size):
        models.awake()
    fit = fitted(pixels, size, channels, seen.fit, seen.name)
    return [paired("", picture(each), model) for each, model in zip(pixels, fit, strict=True)]


def arrays(seen: Seen, native: Overview) -> Pixels:
    """Training images (n, C, H, W) as the source has them; of an .npz they may be of any shape."""
    path = Path(seen.name).expanduser()
    if seen.name not in CATALOGUE and path.suffix.lower() == ".npz":
        images = read_npz(path)
        train, _ = train_and_test(len(images), seen.seed, str(path))
        return images.pixels[train[:SHOWN]]
    each = list(native.examples.values())
    return np.stack(
        [kind[0] for kind in each if len(kind)][:SHOWN] if len(each) > 1 else list(each[0][:SHOWN])
    )


def of_pictures(seen: Seen, size: int, channels: int, stamp: str) -> list[Pair]:
    folder = Path(seen.name).expanduser()
    found: list[Pair] = []
    for path in paths(seen.name, seen.limit, seen.seed, stamp):
        try:
            model = decode(path, size, channels, seen.fit)
            with Image.open(path, formats=FORMATS) as image:
                upright = ImageOps.exif_transpose(image)
                upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
        except Exception:  # noqa: S112 (whatever a decoder raises on a damaged file)
            continue  # the list of what was left out has it
        found.append(paired(str(path.relative_to(folder)), upright, model))
        if len(found) == SHOWN:
            break
    return found


@st.cache_data(max_entries=24, show_spinner=False)
def paths(name: str, limit: int | None, seed: int, stamp: str) -> list[Path]:
    """Training pictures of a folder, evenly, so that several classes are seen: more than are shown, for some
    may be damaged."""
    folder = Path(name).expanduser()
    pictures = plan_folder(folder, None, None, "crop", limit, seed).pictures["train"]
    places = [np.linspace(0, len(pictures) - 1, number).round().astype(int) for number in (SHOWN, 2 * SHOWN)]
    return list(dict.fromkeys(pictures[place].path for place in np.concatenate(places)))


def paired(name: str, image: Image.Image, model: Pixels) -> Pair:
    return Pair(name, *displayed(image), *displayed(picture(model)))


def displayed(image: Image.Image) -> tuple[bytes, str]:
    """A PNG of the image at its own size, or enlarged by whole pixels where it is small, or made smaller,
    smoothly, where it is wider than its place (the browser would leave pixels out); and its size in words."""
    words = f"{image.width} × {image.height} px" + (", grey" if image.mode == "L" else "")
    if image.width > WIDE:
        words += f", shown at {WIDE / image.width:.0%}"
        height = max(1, round(image.height * WIDE / image.width))
        image = image.resize((WIDE, height), Image.Resampling.LANCZOS)
    return enlarged(image, SIDE), words


def picture(pixels: Pixels) -> Image.Image:
    """(C, H, W) as a picture."""
    return Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def enlarged(image: Image.Image, side: int) -> bytes:
    """A PNG with each pixel as many whole pixels wide as fit in `side`."""
    times = max(1, side // max(image.size))
    buffer = BytesIO()
    size = (image.width * times, image.height * times)
    image.resize(size, Image.Resampling.NEAREST).save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue()
