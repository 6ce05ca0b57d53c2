"""Curves of several runs over time, steps or images: one quantity at a time, and what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import altair as alt
import streamlit as st

from genlab.app.address import arrive, leave
from genlab.app.comparing.chosen import looks
from genlab.app.comparing.tracks import Track, tracks
from genlab.app.entries import Entry
from genlab.app.style import plain

AXES = {
    "seconds": ("Time", "seconds of training"),
    "steps": ("Steps", "steps"),
    "images": ("Images", "images seen"),
}


@dataclass(frozen=True)
class Quantity:
    """Something that runs record while they train. `validated`: measured on held-out images now and then."""

    title: str
    unit: str
    sentence: str
    log: bool = False


BATCH = "Of the batch at hand, running mean."
GAME = (
    "It measures a game against the run’s own opponent: lower is no better, and the losses of two runs can’t "
    "be compared."
)
VALIDATED = {
    "fid": Quantity(
        "FID ↓", "squared feature units",
        "Of 2 000 samples of the averaged weights: on a scale of its own, not on the table’s. It compares "
        "families.", log=True,
    ),
    "nelbo": Quantity(
        "−ELBO ↓", "nats per image",
        "A bound on −ln p(x): it compares models with a likelihood, on one measure of pixels.",
    ),
}  # fmt: skip
LOGGED = {
    "elbo": Quantity(
        "ELBO ↑", "nats per image",
        f"{BATCH} At β = 1; it compares VAEs on one measure of pixels, and a GAN has none.",
    ),
    "reconstruction": Quantity(
        "reconstruction", "nats per image",
        f"{BATCH} What is lost through the code; another β or latent size strikes another bargain.",
    ),
    "kl": Quantity(
        "KL", "nats per image",
        f"{BATCH} What a code says about its image: it describes, and does not judge.",
    ),
    "accuracy": Quantity(
        "D is right", "share of images",
        f"{BATCH} At 0.5 the discriminator guesses. It is that run’s own: it says how even the game is, not "
        "how good the images are.",
    ),
    "discriminator_loss": Quantity("loss of D", "nats", GAME),
    "generator_loss": Quantity("loss of G", "nats", GAME),
}  # fmt: skip


def quantity(validated: bool, key: str) -> Quantity:
    """What is known of it; "/train" is against training images, for want of others."""
    name = key.removesuffix("/train")
    known = (VALIDATED if validated else LOGGED).get(name)
    found = known or Quantity(
        name.replace("_", " "), "", "As it was logged; what it means, its family knows."
    )
    if name == key:
        return found
    blind = "Against training images: blind to what was learned by heart."
    return Quantity(found.title, found.unit, f"{found.sentence} {blind}", found.log)


def page(among: list[Entry]) -> None:
    """The choice of a quantity and of an axis, the chart, and what it says."""
    found = {entry.name: tracks(entry) for entry in among}
    offered = order(key for each in found.values() for key in each)
    if not offered:
        st.info("None of these runs has recorded anything yet.")
        return
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    names = {f"{'validation-' if validated else ''}{key}": (validated, key) for validated, key in offered}
    arrive("curve", names, next(iter(names)))
    picked = left.selectbox(
        "Quantity", list(names), key="curve", persist_state="session",
        format_func=lambda name: titled(*names[name]) if name in names else name,
    )  # fmt: skip
    leave("curve", picked)
    arrive("over", AXES, "seconds")
    axis = right.segmented_control(
        "Over", list(AXES), required=True, key="over", persist_state="session",
        format_func=lambda name: AXES[name][0],
    )  # fmt: skip
    leave("over", axis, "seconds")
    chosen = names[str(picked)]
    what = quantity(*chosen)
    having = [entry for entry in among if chosen in found[entry.name]]
    lines = {name: each[chosen] for name, each in found.items() if chosen in each}
    st.vega_lite_chart(
        spec(having, chosen, lines, str(axis)),
        width="stretch", alt=f"{what.title} of {len(having)} runs over {AXES[str(axis)][1]}",
    )  # fmt: skip
    st.caption(said(what, str(axis), [entry for entry in among if entry not in having]))


def order(keys: Iterable[tuple[bool, str]]) -> list[tuple[bool, str]]:
    """What compares families first: validations, then what is known, then the rest."""
    known = [*VALIDATED, *LOGGED]

    def place(key: tuple[bool, str]) -> tuple[bool, int, str]:
        name = key[1].removesuffix("/train")
        return not key[0], known.index(name) if name in known else len(known), name

    return sorted(set(keys), key=place)


def titled(validated: bool, key: str) -> str:
    where = " · validation" if validated else " · while training"
    return quantity(validated, key).title + where + (" on training images" if key.endswith("/train") else "")


def said(what: Quantity, axis: str, lacking: list[Entry]) -> str:
    sentences = [what.sentence]
    if axis == "seconds":
        sentences.append("Seconds depend on the machine; images don’t.")
    if lacking:
        names = ", ".join(plain(entry.label) for entry in lacking)
        sentences.append(f"Not recorded by {names}.")
    return " ".join(sentences)


def chart(
    among: list[Entry], curves: dict[str, Track], what: Quantity, axis: str, dark: bool
) -> alt.LayerChart | alt.FacetChart:
    """A line a run: its colour is that of the family, its dashes tell it from others of the family."""
    look = looks(among, dark)
    labels = {entry.name: entry.label for entry in among}
    rows = [
        {"run": labels[name], "x": x, "y": y}
        for name, track in curves.items()
        for x, y in zip(getattr(track, axis), track.values, strict=True)
    ]
    names = list(labels.values())
    log = what.log and all(row["y"] > 0 for row in rows)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("x:Q", title=AXES[axis][1], axis=alt.Axis(tickCount=8)),
        y=alt.Y("y:Q", title=f"{what.title}, {what.unit}" if what.unit else what.title,
                axis=alt.Axis(tickCount=5),
                scale=alt.Scale(zero=False, nice=not log, type="log" if log else "linear")),
        color=alt.Color("run:N", title=None, sort=names, legend=legend(),
                        scale=alt.Scale(domain=names, range=[look[name][0] for name in labels])),
        tooltip=[alt.Tooltip("run:N", title="run"), alt.Tooltip("x:Q", title=AXES[axis][1], format=",.4~g"),
                 alt.Tooltip("y:Q", title=what.title, format=".4~g")],
    )  # fmt: skip
    lines = base.mark_line(strokeWidth=2.2).encode(
        strokeDash=alt.StrokeDash(
            "run:N", title=None, sort=names, legend=legend(),
            scale=alt.Scale(domain=names, range=[look[name][1] for name in labels]),
        )
    )  # fmt: skip
    few = len(rows) <= 40 * max(1, len(names))
    points = base.mark_circle(size=40, opacity=1 if few else 0)
    return alt.layer(lines, points).properties(height=330)


def spec(among: list[Entry], chosen: tuple[bool, str], curves: dict[str, Track], axis: str) -> dict[str, Any]:
    """The chart as Vega-Lite, made once for each state of its curves: checking it takes Altair a while."""
    ends = tuple((name, len(track.values), track.steps[-1]) for name, track in curves.items())
    labels = tuple(entry.label for entry in among)
    dark = st.context.theme.type == "dark"
    return _spec(
        ends, labels, chosen, axis, dark, lambda: chart(among, curves, quantity(*chosen), axis, dark)
    )


@st.cache_resource(max_entries=60, show_spinner=False)
def _spec(
    ends: tuple[tuple[str, int, float], ...], labels: tuple[str, ...], chosen: tuple[bool, str], axis: str,
    dark: bool, _make: Callable[[], alt.LayerChart | alt.FacetChart],
) -> dict[str, Any]:  # fmt: skip
    return _make().to_dict()


def legend() -> alt.Legend:
    return alt.Legend(
        orient="top", symbolType="stroke", symbolSize=400, symbolStrokeWidth=2.4, labelLimit=260, columns=3
    )
