"""What a discriminator says of real images, of its generator's, and of a VAE's."""

from __future__ import annotations

from typing import NamedTuple

import altair as alt
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.app import models
from genlab.app.entries import Entry
from genlab.app.held_out import held_out
from genlab.app.style import BLUE, GREEN, ON_DARK, ORANGE, plain
from genlab.errors import UserError

COUNT = 256  # images of each kind


class Judged(NamedTuple):
    """Logits (N,) of images of one kind, and the PNG sheet of the first few, by falling score."""

    kind: str
    logits: NDArray[np.float64]
    sheet: bytes


def page(gan: Entry, vae: Entry | None) -> None:
    if gan.family == "vae":
        st.info("A VAE has no discriminator.")
        return
    try:
        found = judgements(gan, vae)
    except UserError as error:
        st.error(plain(error), icon=":material/error:")
        return
    st.altair_chart(
        chart(found, st.context.theme.type == "dark"), width="stretch",
        alt="the discriminator's logits of each kind of image, as ticks with their medians",
    )  # fmt: skip
    st.caption(
        "A tick is an image, the bar the median of its kind: the further right, the more real it looks to "
        f"the discriminator (0: it can't decide). {COUNT} test images, none of them trained on, and as many "
        "of each other kind. A discriminator has only ever seen its own generator's images beside real ones: "
        "what it says of a VAE's is no measure of quality."
    )
    for column, each in zip(st.columns(len(found)), found, strict=True):
        with column:
            st.markdown(f"**{each.kind}**")
            st.image(each.sheet, alt=f"{each.kind}, by falling score")
            st.caption(f"median {np.median(each.logits):.2f}")
    st.caption("Sixteen of each kind, from the highest score (top left) to the lowest.")


def judgements(gan: Entry, vae: Entry | None) -> list[Judged]:
    """Every kind of image there is, judged. Raises UserError where the test images are gone."""
    stamp = f"{gan.saved}-{vae.saved if vae else None}"
    return _judgements(gan, vae, f"{gan.path}-{vae.path if vae else None}", stamp)


@st.cache_data(max_entries=8, show_spinner="Asking the discriminator …")
def _judgements(_gan: Entry, _vae: Entry | None, paths: str, stamp: str) -> list[Judged]:
    import torch

    from genlab.data.batches import to_float

    opened = models.opened(_gan)
    reals = to_float(torch.from_numpy(held_out(_gan).pixels[:COUNT]))
    kinds = {"Real": reals, "Generated": opened.sample(len(reals)).images}
    if _vae is not None and _vae.saved is not None:
        coder = models.opened(_vae)
        kinds |= {"Reconstructed": coder.reconstruct(reals), "VAE’s samples": coder.sample(len(reals)).images}
    return [judged(kind, opened.model.discriminator, images) for kind, images in kinds.items()]


def judged(kind: str, discriminator: object, images: object) -> Judged:
    import torch

    with torch.inference_mode():
        count = len(images) // discriminator.pack * discriminator.pack  # type: ignore[arg-type,attr-defined]
        logits = discriminator(images[:count])  # type: ignore[operator,index]
        logits = logits.repeat_interleave(discriminator.pack)  # type: ignore[attr-defined]
        order = logits.argsort(descending=True)
        picked = order[torch.linspace(0, count - 1, 16).long()]
        return Judged(kind, logits.double().numpy(), models.as_png(images[picked], 4, scale=2))  # type: ignore[index]


def chart(found: list[Judged], dark: bool) -> alt.LayerChart | alt.FacetChart:
    rows = [{"kind": each.kind, "score": round(float(logit), 4)} for each in found for logit in each.logits]
    colours = [ON_DARK.get(c, c) if dark else c for c in (BLUE, ORANGE, GREEN, "#999999")]
    order = [each.kind for each in found]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("kind:N", sort=order, title=None),
        color=alt.Color(
            "kind:N", sort=order, scale=alt.Scale(domain=order, range=colours[: len(order)]), legend=None
        ),
    )  # fmt: skip
    ticks = base.mark_tick(thickness=1.5, size=22, opacity=0.45).encode(
        x=alt.X("score:Q", title="the discriminator's score (logit)"),
        tooltip=[alt.Tooltip("kind:N", title="kind"), alt.Tooltip("score:Q", title="logit", format=".2f")],
    )
    medians = base.mark_tick(thickness=4, size=34).encode(x="median(score):Q")
    zero = (
        alt.Chart(alt.InlineData(values=[{"x": 0}])).mark_rule(strokeDash=[4, 4], opacity=0.5).encode(x="x:Q")
    )
    return alt.layer(zero, ticks, medians).properties(height=44 * len(found) + 40)
