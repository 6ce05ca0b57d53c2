"""The app: its pages, its navigation, and what stands beside every page.

Streamlit runs this file from top to bottom whenever something is touched. It never trains: it starts
`genlab train` as a process of its own, and reads the run folder.
"""

from __future__ import annotations

import numpy as np
import streamlit as st
from PIL import Image

from genlab.app import at_work, memory, navigate
from genlab.app.style import CSS, plain
from genlab.errors import UserError


def main() -> None:
    st.set_page_config("genlab", icon(), layout="wide", initial_sidebar_state=220)
    st.html(CSS)
    chosen = st.navigation(navigate.pages(), position="sidebar", expanded=True)
    with st.sidebar:
        at_work.panel()
    try:
        chosen.run()
    except UserError as error:
        st.error(plain(error), icon=":material/error:")
    finally:
        memory.freeze_what_was_imported()


@st.cache_resource
def icon() -> Image.Image:
    """Noise that becomes a square: drawn here, for Streamlit fetches its own icons from the network."""
    pixels = np.random.default_rng(0).integers(40, 220, (16, 16), dtype=np.uint8)
    pixels[5:11, 5:11] = 255
    return Image.fromarray(pixels).resize((64, 64), Image.Resampling.NEAREST)


if __name__ == "__main__":
    main()
