"""Start: what this is, one button that trains both families while one watches, and the runs so far."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from genlab.app import cards, entries, launches
from genlab.app.entries import Entry
from genlab.app.forms import beginning
from genlab.app.live import watching
from genlab.app.navigate import go, link
from genlab.app.style import SHEET, duration, plain

WHAT = (
    "A variational autoencoder (VAE) learns to put an image into a few numbers and to draw it again from "
    "them; a generative adversarial network (GAN) learns to draw by deceiving a critic. The part that draws, "
    "the VAE’s **decoder** and the GAN’s **generator**, is one and the same network here, which you train in "
    "the one and hand over to the other. What that changes, and what every setting does, you find out by "
    "measuring, on your own machine."
)
VAE_SECONDS, GAN_SECONDS = 20.0, 40.0
TAKES = "It takes about 1½ minutes on 2 cores, of which you wait some 10 seconds for the first digits."
CARDS = 6
VAE, GAN = "vae", "gan"  # the two trainings, in the address
PAIR = "trained together"  # the same, in the session


def page() -> None:
    st.markdown("### Start")
    vae, gan = watched()
    if vae is not None and gan is not None:
        together(vae, gan)
    else:
        welcome()
    own = entries.everything()
    if own:
        st.markdown("**Your runs**")
        cards.rows(own[:CARDS])
        if len(own) > CARDS:
            link("runs", f"All {len(own)} runs")
    st.markdown("**Models that come with genlab**, small ones, trained on handwritten digits (MNIST)")
    cards.rows([each for each in entries.everything(shipped=True) if each.shipped], large=True)
    link("lessons", "The course’s questions, and where each is answered by measurement")


def welcome() -> None:
    """What this is, and the button."""
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    left.write(WHAT)
    with right:
        if st.button(
            "Train both, while I watch", type="primary", icon=":material/play_arrow:", key="both",
            width="stretch",
        ):  # fmt: skip
            begin()
        st.caption(
            f"A VAE for {VAE_SECONDS:g} seconds, then a GAN from its decoder for {GAN_SECONDS:g}, on MNIST. "
            f"{TAKES}"
        )


def begin() -> None:
    """Start the VAE, queue the GAN from its decoder behind it, and watch both here."""
    vae = beginning.launch("vae", "mnist", VAE_SECONDS, [], [])
    gan = beginning.launch("gan", "mnist", GAN_SECONDS, [], ["--from", vae.path], after=vae)
    st.session_state[PAIR] = vae.name, gan.name
    go("start", vae=vae.name, gan=gan.name)


def watched() -> tuple[Entry | None, Entry | None]:
    """The two trainings that this page shows: those in its address, or else those of this session."""
    names = [st.query_params.get(each) for each in (VAE, GAN)]
    if None in names:
        names = list(st.session_state.get(PAIR, (None, None)))
    known = {each.name: each for each in entries.everything()}
    vae, gan = (known.get(str(name)) for name in names)
    return vae, gan


def together(vae: Entry, gan: Entry) -> None:
    """Both as they train, drawn anew every second until both have ended."""
    busy = vae.live or gan.live
    st.fragment(pair, run_every=watching.REFRESH if busy else None)(str(vae.path), str(gan.path), busy)
    if busy:
        st.caption("You may close this page, or even stop the app: the trainings go on, and are found again.")
        return
    if gan.saved is not None:
        a, b, c = st.columns(3)
        if a.button("Generate", type="primary", icon=":material/casino:", key="to-generate", width="stretch"):
            go("generate", run=gan.name)
        if b.button("Explore", type="primary", icon=":material/explore:", key="to-explore", width="stretch"):
            go("explore", run=gan.name)
        if c.button("Train both again", icon=":material/replay:", key="both", width="stretch"):
            begin()


def pair(vae: str, gan: str, busy: bool) -> None:
    found = [watching.look(Path(path)) for path in (vae, gan)]
    if any(each is None for each in found) or (busy and not any(each and each.live for each in found)):
        st.rerun()  # the whole page: there is more to do, or less, than while they trained
    titles = ("VAE", "GAN, from the VAE’s decoder")
    for place, entry, title in zip(st.columns([SHEET, SHEET], gap="medium"), found, titles, strict=True):
        with place:
            assert entry is not None
            st.markdown(f"**{title}** &nbsp; :small[:gray[{plain(entry.label)}]]")
            side(entry)


def side(entry: Entry) -> None:
    """One of the two: how far it is, and its newest samples."""
    if entry.complaint:
        st.error(watching.trouble(entry), icon=":material/error:")
    elif entry.progress is not None and entry.progress.steps:
        watching.bar(entry, entry.progress)
        watching.newest(entry, entry.progress, "samples")
    else:
        st.progress(0.0, text=still(entry))
        st.skeleton(height=SHEET)


def still(entry: Entry) -> str:
    """Why nothing is seen of it yet."""
    if entry.state != "waiting" or entry.launch is None:
        return "It starts, and measures how many steps fit into its time …"
    left = launches.seconds_left(launches.waiting_for(entry.launch))
    return "It waits for the decoder" + (f", about {duration(left)} …" if left is not None else " …")
