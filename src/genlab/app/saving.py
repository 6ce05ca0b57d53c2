"""Buttons that hand a file to the browser."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st


def save(data: bytes, name: str, key: str = "png") -> None:
    offer("PNG", data, name, "image/png", key=key)


def offer(what: str, data: bytes | Callable[[], bytes], name: str, mime: str, *, key: str) -> None:
    """A button "Download `what`"; where `data` is a function, it is called once the button is pressed."""
    st.download_button(
        f"Download {what}", data, name, mime, icon=":material/download:", on_click="ignore", key=key,
        width="stretch",
    )  # fmt: skip
