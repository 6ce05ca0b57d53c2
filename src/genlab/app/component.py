"""Components of our own: what `components` holds of one, as Streamlit mounts it in the page."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

PARTS = Path(__file__).parent / "components"


@cache
def component(name: str, before: Path | None = None) -> ComponentRenderer:
    """The component made of `name`.html, .css and .js, with the script `before` ahead of its own."""
    html, css, js = ((PARTS / f"{name}.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    script = "" if before is None else before.read_text("utf-8") + "\n"
    return st.components.v2.component(f"genlab.{name}", html=html, css=css, js=script + js)
