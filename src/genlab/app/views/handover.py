"""VAE → GAN: the decoder changes hands, and becomes a generator."""

from __future__ import annotations

import json
from base64 import b64encode
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from genlab.app import entries, launches, models
from genlab.app.address import arrive, leave
from genlab.app.choosing import choose, usable
from genlab.app.entries import Entry, encoder_of, made_from
from genlab.app.forms import beginning
from genlab.app.handing_over import diagram, scores
from genlab.app.handing_over.diagram import Block
from genlab.app.live import receipt, watching
from genlab.app.navigate import go, link
from genlab.app.style import SHEET, count, duration, plain

MODES = {
    "networks": "The two networks",
    "train": "Hand over and train",
    "scores": "What the discriminator says",
}
WHAT = (
    "A VAE's decoder and a GAN's generator are the same network. The decoder is copied, tensor by tensor, "
    "into a GAN; a fresh discriminator takes the encoder's place, and the two play against each other."
)


def page() -> None:
    st.markdown("### VAE → GAN")
    entry = choose("VAE, or a GAN made from one")
    if not usable(entry, "make a GAN"):
        return
    assert entry is not None
    arrive("part", MODES)
    st.session_state.setdefault("part", "networks")
    mode = st.segmented_control(
        "Show", list(MODES), required=True, format_func=MODES.__getitem__, key="part",
        label_visibility="collapsed", persist_state="session", width="stretch",
    )  # fmt: skip
    leave("part", mode)
    vae = encoder_of(entry)
    if mode == "networks":
        networks(entry, vae)
    elif mode == "train":
        training(entry, vae)
    else:
        judged(entry, vae)


def networks(entry: Entry, vae: Entry | None) -> None:
    """The diagram of both families, and the receipt where the hand-over has taken place."""
    st.write(WHAT)
    if vae is None:
        st.info("This GAN began from random weights, or its VAE is gone; its networks alone are drawn.")
    families = both(str((vae or entry).path), str(entry.path))
    svg = diagram.picture(*families, dark=st.context.theme.type == "dark")
    st.html(f'<img src="data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}" '
            f'style="width:100%;max-width:940px" alt="{escape(diagram.said(*families))}">')  # fmt: skip
    st.caption(
        "Drawn from the models themselves. A bar is a layer: inside it the shape of what comes out for one "
        "image, as high as the logarithm of its numbers. The encoder and the discriminator look at the same "
        "images; one ends in the parameters of q(z│x), the other in one number."
    )
    with st.expander("Every layer, with its parameters"):
        st.table(layers(*families))
    if entry.progress and entry.progress.receipt:
        receipt.card(entry.progress.receipt)


@st.cache_data(max_entries=16, show_spinner="Building the networks …")
def both(vae: str, other: str) -> tuple[dict[str, Block], dict[str, Block]]:
    """The networks of the runs in the folders `vae` and `other`; a VAE is shown with those of the GAN that it
    would become."""
    models.awake()
    from genlab.experiment.build import build_model
    from genlab.experiment.handover import inherit
    from genlab.experiment.schema import parse
    from genlab.recipes import recipe
    from genlab.runs.store import find_run

    first, second = parse(find_run(vae).config()), parse(find_run(other).config())
    if second.family == "vae":
        second = inherit(recipe("gan"), first, vae)
    shape = first.data.shape
    assert shape is not None, "a run knows its images' shape"
    found = [diagram.blocks(build_model(each, shape), shape) for each in (first, second)]
    return found[0], found[1]


def layers(vae: dict[str, Block], gan: dict[str, Block]) -> list[dict[str, str]]:
    """A row for each layer: the shared network once."""
    networks = {**vae, **{role: block for role, block in gan.items() if role not in vae}}
    return [
        {
            "Network": block.name,
            "Layer": stage.what,
            "Gives": stage.size,
            "Parameters": count(stage.parameters),
        }
        for block in networks.values()
        for stage in block.stages
    ]


def training(entry: Entry, vae: Entry | None) -> None:
    """The form that makes a GAN of the VAE, and those made already: from its decoder and from random
    weights, side by side."""
    if vae is None or vae.family == "gan":
        st.info("This GAN began from random weights. Pick a VAE above to make one from its decoder.")
        return
    form(vae)
    everything = entries.everything(shipped=True)
    begun = st.query_params.get_all("pair")  # the two that were started here, known before they have configs
    made = {each.name: each for each in everything if each.name in begun[:1]}
    made |= {each.name: each for each in made_from(vae, everything)}
    if not made:
        st.caption("No GAN was made from this decoder yet.")
        return
    default = entry.name if entry.name in made else next(iter(made))
    arrive("warm", made, default)
    warm = st.selectbox("Made from this decoder", list(made), format_func=lambda n: made[n].label, key="warm")
    leave("warm", warm, default)
    cold = [each for each in everything if each.name in begun[1:] and warm == begun[0]]
    beside(made[warm], cold or rivals(made[warm]))


def form(vae: Entry) -> None:
    with st.form("make-gan", border=True):
        seconds, seed = beginning.times("gan")
        fitted = (vae.path / "prior.safetensors").exists()
        mixture = fitted and st.checkbox(
            "Draw z from the prior fitted to the codes", value=True, key="gan-mixture",
            help="The decoder has learned to draw from where the codes are, not from all of N(0, I).",
        )  # fmt: skip
        cold = st.checkbox(
            "Also train one from random weights, for comparison", key="gan-cold",
            help="The same networks, seed, seconds and images, z from N(0, I); it waits for its turn.",
        )  # fmt: skip
        pressed = st.form_submit_button(
            "Make the GAN, and train it", type="primary", icon=":material/play_arrow:"
        )
    if not pressed:
        return
    chosen = [f"training.seed={seed}"]
    prior = ["network.prior.kind=mixture"] if mixture else []
    begun = [beginning.launch("gan", vae.data, seconds, [*chosen, *prior], ["--from", str(vae.path)])]
    if cold:
        begun.append(beginning.launch("gan", vae.data, seconds, [*as_before(vae.run.config()), *chosen], []))
    go("vae-to-gan", run=vae.name, part="train", pair=[each.name for each in begun])


def as_before(config: dict[str, Any]) -> list[str]:
    """The settings that let a GAN have the VAE's decoder and images, from random weights."""
    keep = {
        "data": ("name", "size", "channels", "fit", "binarise", "limit", "validation"),
        "observation": tuple(config.get("observation", {})),
    }
    chosen = [
        f"{section}.{key}={json.dumps(config[section][key])}"
        for section, keys in keep.items()
        for key in keys
        if config[section].get(key) is not None
    ]
    network = config["network"]
    chosen += [f"network.decoder.{key}={json.dumps(value)}" for key, value in network["decoder"].items()]
    return [*chosen, f"network.latent_dim={network['latent_dim']}"]


def rivals(warm: Entry) -> list[Entry]:
    """GANs from random weights with the same images, networks and length as `warm`, newest first."""
    mine = warm.run.config() if warm.progress else None
    if mine is None:
        return []
    found = []
    for each in entries.everything():
        if each.family != "gan" or each.source is not None or each.progress is None:
            continue
        theirs = each.run.config()
        same = ("latent_dim", "decoder", "discriminator")
        if theirs["data"]["digest"] == mine["data"]["digest"] and all(
            theirs["network"][key] == mine["network"][key] for key in same
        ):
            found.append(each)
    return found


def beside(warm: Entry, cold: list[Entry]) -> None:
    """Both as they train: the same z at the same place."""
    busy = warm.live or any(each.live for each in cold)
    paths = (str(warm.path), str(cold[0].path) if cold else None)
    st.fragment(pair, run_every=watching.REFRESH if busy else None)(*paths, busy)


def pair(warm: str, cold: str | None, busy: bool) -> None:
    found = [watching.look(Path(path)) if path else None for path in (warm, cold)]
    if busy and not any(each is not None and each.live for each in found):
        st.rerun()
    for column, entry, title in zip(
        st.columns([SHEET, SHEET], gap="medium"), found, ("From the VAE’s decoder", "From random weights"),
        strict=True,
    ):  # fmt: skip
        with column:
            st.markdown(f"**{title}**" + (f" &nbsp; :small[:gray[{plain(entry.label)}]]" if entry else ""))
            side(entry)


def side(entry: Entry | None) -> None:
    if entry is None:
        st.caption(
            "None yet with these networks and images: tick “Also train one from random weights” above."
        )
        return
    if entry.progress is None or not entry.progress.steps:
        if entry.state == "waiting" and entry.launch:
            left = launches.seconds_left(launches.waiting_for(entry.launch))
            st.caption("It waits for its turn" + (f", about {duration(left)}." if left is not None else "."))
        else:
            st.caption(entries.WORDS.get(entry.state, entry.state))
        return
    watching.bar(entry, entry.progress)
    watching.newest(entry, entry.progress, "samples")
    if entry.source is not None and entry.progress.receipt:
        st.caption(f"{count(entry.progress.receipt['tensors'])} tensors were copied from the VAE.")
    link("train", "Curves and controls", run=entry.name)


def judged(entry: Entry, vae: Entry | None) -> None:
    """The discriminator's score of reals, reconstructions and samples."""
    gan = entry
    if entry.family == "vae":
        made = [each for each in made_from(entry, entries.everything(shipped=True)) if each.saved is not None]
        if not made:
            st.info("A VAE has no discriminator. Make a GAN from this decoder first, then see what it says.")
            return
        gan = made[0]
        st.caption(f"The discriminator is that of {plain(gan.label)}.")
    scores.page(gan, vae)
