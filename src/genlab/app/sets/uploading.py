"""The way for images of one's own into the lab, and out of it again."""

from __future__ import annotations

import streamlit as st

from genlab.app import entries
from genlab.app.forms.asked import Asked, asked
from genlab.app.sets import uploads
from genlab.app.sets.uploads import KINDS, MEGABYTES, File, Stored
from genlab.app.style import count, plain
from genlab.errors import UserError

ROUND, SAID, DOUBT = "uploads so far", "what the last upload came to", "upload that may be deleted"
LABEL = "Pictures, a zip of folders by class, or an .npz"
HELP = (
    "In a zip, folders are classes; train, validation and test may stand above them. An .npz has an array "
    "`images`, N×H×W or N×H×W×3, as uint8 or floats from 0 to 1, and may have `labels`, whole numbers from 0."
)
LEFT_OUT = 3  # files that are named


def key() -> str:
    """That of the uploader: a new one after each upload, which begins empty."""
    return f"upload-{st.session_state.get(ROUND, 0)}"


def take(now: Asked) -> None:
    """Keep what was just uploaded, and choose it. Stands before everything that shows what is chosen."""
    files = st.session_state.get(key())
    if not files:
        return
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
    with st.spinner("Looking at every file of the upload …"):
        try:
            kept = uploads.store([File(file.name, file) for file in files])
        except UserError as error:
            st.session_state[SAID] = ("error", plain(error))
            return
    now.data, now.complaint = kept.data, ""
    st.session_state[SAID] = ("success", sentence(kept))


def sentence(kept: Stored) -> str:
    """What an upload came to."""
    if kept.again:
        return f"{plain(kept.name)} was uploaded before, byte for byte; here it is."
    if not kept.left_out:
        return f"{plain(kept.name)} is here, and can be trained on."
    named = "; ".join(plain(line) for line in kept.left_out[:LEFT_OUT])
    more = " …" if len(kept.left_out) > LEFT_OUT else ""
    number = len(kept.left_out)
    which = "one of its files" if number == 1 else f"{count(number)} of its files"
    return f"{plain(kept.name)} is here, but for {which}: {named}{more}"


def said() -> None:
    """What the last upload came to."""
    kind, text = st.session_state.get(SAID, ("", ""))
    if kind == "error":
        st.error(text, icon=":material/error:")
    elif kind:
        st.success(text, icon=":material/check_circle:")


def panel() -> None:
    """The uploader, and what was uploaded."""
    with st.popover("Upload", icon=":material/upload:", width="stretch"):
        st.file_uploader(
            LABEL, list(KINDS), accept_multiple_files=True, key=key(), max_upload_size=MEGABYTES, help=HELP
        )
        said()
        for upload in uploads.stored():
            row(upload)


def row(upload: Stored) -> None:
    name, size, button = st.columns([3, 2, 2], vertical_alignment="center")
    name.markdown(f"{plain(upload.name)} &nbsp; :small[:gray[{upload.digest}]]")
    size.caption(f"{upload.size / 1e6:.1f} MB")
    doubted = st.session_state.get(DOUBT) == upload.folder.name
    with button:
        if not doubted:
            st.button("Delete", key=f"delete-{upload.folder.name}", on_click=doubt, args=(upload,))
            return
        st.button("Yes, delete", key=f"really-{upload.folder.name}", on_click=delete, args=(upload,))
    number = sum(each.data == upload.data for each in entries.everything())
    who = f"{number} runs were" if number != 1 else "One run was"
    st.caption(
        f"{who} trained on it, and could not be resumed or measured any more."
        if number
        else "No run was trained on it. It can’t be brought back."
    )


def doubt(upload: Stored) -> None:
    st.session_state[DOUBT] = upload.folder.name


def delete(upload: Stored) -> None:
    now, gone = asked(), upload.data
    uploads.remove(upload)
    st.session_state.pop(DOUBT, None)
    st.session_state.pop(SAID, None)
    if now.data == gone:
        now.data = Asked().data
