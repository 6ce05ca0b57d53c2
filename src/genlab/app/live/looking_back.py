"""All sheets of a run so far: scrubbed through, played, and taken away as a GIF."""

from __future__ import annotations

import re
from base64 import b64encode
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st
from PIL import Image

from genlab.app.animating import gif
from genlab.app.component import component
from genlab.app.entries import Entry
from genlab.app.saving import offer
from genlab.app.style import count

AT_MOST = 120  # sheets that are shown: with more of them, every second one, every third …
MILLISECONDS = 125  # of a frame in the GIF


class Sheet(NamedTuple):
    """One picture that the worker has drawn, of the model after `step` steps."""

    step: int
    path: Path


def sheets(entry: Entry, content: str) -> list[Sheet]:
    """The sheets of one `content` ("samples", "reconstructions") on disk, oldest first, `AT_MOST` of them:
    thinned evenly, the newest always there."""
    found = [
        Sheet(int(match[1]), path)
        for path in (entry.path / "samples").glob(f"{content}-*.png")
        if (match := re.fullmatch(rf"{content}-(\d+)\.png", path.name))
    ]
    found.sort()
    stride = -(-len(found) // AT_MOST) or 1
    return found[::-1][::stride][::-1]


def film(entry: Entry, content: str, key: str) -> None:
    """The scrubber over all sheets of `content`, and its GIF; nothing where fewer than two were drawn."""
    found = sheets(entry, content)
    if len(found) < 2:
        st.caption("There is nothing to look back at yet: the next sheets come in a moment.")
        return
    small = small_sheets(tuple(map(str, (each.path for each in found))), found[-1].path.stat().st_mtime_ns)
    component("scrubber")(
        key=key,
        data={
            "steps": [each.step for each in found],
            "sheets": [b64encode(data).decode() for data in small],
            "alt": content,
        },
    )
    offer("GIF", lambda: animated(tuple(small)), f"{entry.name}-{content}.gif", "image/gif", key=f"{key}-gif")
    st.caption(
        f"{len(small)} sheets from step {count(found[0].step)} to step {count(found[-1].step)}, the same "
        f"{'latents' if content == 'samples' else 'test images'} in all of them."
    )


@st.cache_data(max_entries=8, show_spinner=False)
def small_sheets(paths: tuple[str, ...], stamp: int) -> list[bytes]:
    """The PNGs at one pixel a pixel: the worker draws them twice as large, and browsers enlarge as well."""
    found = []
    for path in paths:
        with Image.open(path) as image:
            buffer = BytesIO()
            image.resize((image.width // 2, image.height // 2), Image.Resampling.NEAREST).save(
                buffer, format="PNG", compress_level=6
            )
            found.append(buffer.getvalue())
    return found


def animated(small: tuple[bytes, ...]) -> bytes:
    """The film as a GIF, played once a loop with a rest on the last sheet."""
    frames = []
    for data in small:
        with Image.open(BytesIO(data)) as image:
            frames.append(np.asarray(image))
    rest = [frames[-1]] * 8
    return gif(np.stack([*frames, *rest]), MILLISECONDS)
