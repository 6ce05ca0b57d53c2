"""The form that starts a training: short at first, with all of the config behind "All settings"."""

from __future__ import annotations

import streamlit as st

from genlab.app import entries
from genlab.app.entries import FAMILIES, Entry
from genlab.app.forms import beginning, fields
from genlab.app.forms.asked import AUTO, LONGEST, Asked, asked, recipes, remember
from genlab.app.forms.bases import STEPS, Base, base_of
from genlab.app.forms.settings import assigned, command
from genlab.app.navigate import link
from genlab.app.sets import datasets
from genlab.app.style import plain
from genlab.errors import UserError
from genlab.experiment.schema import override
from genlab.recipes import named

FAMILY_SAYS = {
    "vae": "Learns to encode images and to draw them again: samples, reconstructions and a latent space.",
    "gan": "A generator and a discriminator play against each other: crisp samples, no encoder.",
    "vaegan": "A VAE whose decoder also has to deceive a discriminator.",
}
MAIN = {"training.seed": "Seed", "network.latent_dim": "Dimensions of z"}  # asked for in the short form


def form() -> None:
    """Asks for everything, and starts the training."""
    st.fragment(body)()


def body() -> None:
    now = asked()
    try:
        draw(now)
    except UserError as error:
        st.error(plain(error), icon=":material/error:")
    remember(now)


def draw(now: Asked) -> None:
    if now.complaint:
        st.warning(plain(fields.sentence(now.complaint)), icon=":material/link_off:")
    family(now)
    with st.container(border=True):
        first, second = st.container(), st.container()
        decoder = None
        with second:
            left, right = st.columns([1, 1])
            with left:
                recipe(now)
            if now.family != "vae":
                with right:
                    decoder = source(now)
        base = base_of(now, decoder)
        with first:
            short(now, base, decoder)
        said(now, base, decoder)
        begin(now, base, decoder)
    with st.expander("All settings", icon=":material/tune:", key="more", on_change="rerun") as more:
        if more.open:
            rest = {path: each for path, each in base.settings.items() if path not in MAIN}
            fields.everything(rest, now, base.inherited)


def family(now: Asked) -> None:
    left, right = st.columns([1, 2], vertical_alignment="center")
    with left:
        st.segmented_control(
            "Family", list(FAMILIES), required=True, format_func=FAMILIES.__getitem__, width="stretch",
            key=fields.held("family", now.family), on_change=take_family, label_visibility="collapsed",
        )  # fmt: skip
    right.caption(FAMILY_SAYS[now.family])


def take_family() -> None:
    now = asked()
    now.family, now.complaint = st.session_state["family"], ""
    now.recipe = now.recipe if now.recipe == AUTO else ""


def recipe(now: Asked) -> None:
    st.selectbox(
        "Recipe", recipes(now.family), key=fields.held("recipe", now.recipe or now.family),
        on_change=take_recipe,
        format_func=lambda name: f"{name} (the default)" if name == now.family else name,
        help="What the settings begin as. Whatever you change stands above it.",
    )  # fmt: skip
    st.caption(about(now.recipe or now.family))


def about(name: str) -> str:
    """What a recipe is, in a line."""
    if name == AUTO:
        return "Fitted to the images, this machine and the seconds."
    line = (named(name).__doc__ or "").partition("\n")[0].partition(": ")[2]
    return line[:1].upper() + line[1:]


def take_recipe() -> None:
    now, chosen = asked(), st.session_state["recipe"]
    now.recipe, now.complaint = "" if chosen == now.family else chosen, ""
    if chosen not in (AUTO, now.family):
        now.data = named(chosen)().data.name


def source(now: Asked) -> Entry | None:
    """Asks whether to start from the decoder of a model that was trained; that model's run."""
    trained = {
        each.name: each
        for each in entries.everything(shipped=True)
        if each.family in ("vae", "vaegan") and each.saved is not None
    }
    names = ["", *trained]
    chosen = now.decoder if now.decoder in trained else ""
    st.selectbox(
        "Start from the decoder of", names, key=fields.held("decoder", chosen), on_change=take_source,
        format_func=lambda name: trained[name].label if name in trained else "nothing: random weights",
        help="A VAE’s decoder and a GAN’s generator are the same network, so the one can become the other.",
    )  # fmt: skip
    return trained.get(chosen)


def take_source() -> None:
    now = asked()
    now.decoder, now.complaint = str(st.session_state["decoder"] or ""), ""


def short(now: Asked, base: Base, decoder: Entry | None) -> None:
    """What a newcomer may want to say."""
    images, seconds, *others = st.columns([2, 1, 1, 1])
    with images:
        if decoder:
            st.text_input("Images", value=base.experiment.data.name, disabled=True, key="inherited-images",
                          help="They come with the decoder.")  # fmt: skip
        else:
            datasets.choose(now)
    with seconds:
        st.number_input(
            "Seconds of training", 1, int(LONGEST), step=10, on_change=take_seconds,
            key=fields.held("seconds", round(now.seconds)), disabled=now.chosen.get(STEPS) is not None,
            help="Turned into a number of steps by a short trial on this machine.",
        )  # fmt: skip
    for column, (path, label) in zip(others, MAIN.items(), strict=True):
        with column:
            come = path.startswith(base.inherited)
            fields.draw(base.settings[path], now, label=label, disabled=come)
    if not decoder and (entry := datasets.missing(now.data)):
        st.caption(f"{entry.title} is not on this machine: {entry.megabytes} MB would be downloaded first.")
        link("data", "See what it is, and download it", data=now.data)


def take_seconds() -> None:
    now = asked()
    now.seconds, now.complaint = float(st.session_state["seconds"]), ""


def said(now: Asked, base: Base, decoder: Entry | None) -> None:
    """What the recipe and the decoder have decided, and what was changed."""
    if decoder:
        st.caption(
            f"The decoder of {plain(decoder.label)} brings its images, dimensions of z, observation and "
            "weights along; they can’t be changed here."
        )
    if now.recipe == AUTO:
        from genlab.recipes.automatic import forecast

        lines = [f"- `{each.assignment}`: {plain(each.why)}" for each in base.choices]
        st.caption("\n".join(["auto chose:\n", *(lines or ["- nothing: all is set already"])]))
        length = {"training": base.experiment.training.model_copy(update={"seconds": now.seconds})}
        expected = forecast(base.experiment.model_copy(update=length))
        st.caption(plain(fields.sentence(expected)))
    fields.changes(base.settings, base.changed(now))


def begin(now: Asked, base: Base, decoder: Entry | None) -> None:
    """The button, and the line that does the same in a terminal."""
    changed = base.changed(now)
    assignments = [assigned(path, value) for path, value in changed.items()]
    seconds = None if STEPS in changed else now.seconds
    complaint = ""
    try:
        override(base.experiment, assignments)
    except UserError as error:
        complaint = str(error).removeprefix("--set: ")
    data = base.experiment.data.name if decoder else now.data
    if not decoder:
        assignments = [f"data.name={now.data}", *assignments]
    left, right = st.columns([1, 3], vertical_alignment="center")
    article = {"vae": "Train a VAE", "gan": "Train a GAN", "vaegan": "Train a VAE-GAN"}
    pressed = left.button(
        article[now.family], type="primary", icon=":material/play_arrow:", key="begin", width="stretch",
        disabled=bool(complaint),
    )  # fmt: skip
    if complaint:
        right.error(plain(fields.sentence(complaint)), icon=":material/error:")
    else:
        right.code(command(now.family, seconds, assignments, base.options), "bash", wrap_lines=True)
    if pressed:
        beginning.start(now.family, data, seconds, assignments, base.options, "train")
