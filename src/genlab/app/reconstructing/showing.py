"""One image on a page: its title, its pixels as they are, and words below it."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.app.style import plain
from genlab.runs.sheets import png


def picture(title: str, pixels: NDArray[np.uint8] | None, words: str = "", wide: int = 196) -> None:
    """An image (C, H, W) uint8 enlarged by whole pixels to at most `wide` px; a blank where there is none."""
    with st.container(gap="xsmall"):
        st.markdown(f":small[**{title}**]")
        if pixels is None:
            look = "border:1px dashed currentColor;opacity:.3;border-radius:3px"
            st.html(f'<div style="height:{wide}px;width:{wide}px;{look}"></div>')
        else:
            side = pixels.shape[2]
            data = png(pixels[None], 1, max(1, wide // side))
            st.image(data, width="content" if side <= wide else wide, alt=title)
        if words:
            st.caption(plain(words))
