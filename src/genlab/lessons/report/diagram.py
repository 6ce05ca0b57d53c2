"""The two families as one drawing: the decoder changes its role, and nothing else."""

from __future__ import annotations

from html import escape

from genlab.lessons.report.content import Pixels, Report
from genlab.lessons.report.numbers import compact
from genlab.lessons.report.pictures import data_uri, sheet

TOP, BOTTOM = 62, 226  # the middles of the two rows
COLUMNS = {"x": 40, "encoder": 160, "z": 268, "decoder": 384, "image": 512, "discriminator": 640, "real": 764}
TALL, SHORT, HALF = 46, 20, 60  # half heights at the wide and the narrow end, half width


def diagram(report: Report) -> str:
    """An SVG with parameter counts, and images of this very report where it has them."""
    counts: dict[str, int] = {}
    for model in reversed(report.models):
        counts |= model.parameters
    decoder, judge = counts.get("decoder") or counts.get("generator"), counts.get("discriminator")
    parts = [
        _row("VAE", TOP), _row("GAN", BOTTOM),
        _network("encoder", "Encoder", counts.get("encoder"), TOP, "trunk", narrowing=True),
        _network("decoder", "Decoder", decoder, TOP, "shared", narrowing=False),
        _network("decoder", "Generator", decoder, BOTTOM, "shared", narrowing=False),
        _network("discriminator", "Discriminator", judge, BOTTOM, "trunk", narrowing=True),
        _code(TOP, "z ~ q(z|x)"), _code(BOTTOM, "z ~ p(z)"), *_images(report),
        _text("real", BOTTOM + 5, "real?", "say"),
        *[_arrow(TOP, a, b) for a, b in ((66, 98), (222, 247), (289, 322), (446, 486))],
        *[_arrow(BOTTOM, a, b) for a, b in ((289, 322), (446, 486), (538, 578), (702, 738))],
        _handover(),
    ]  # fmt: skip
    return (
        '<svg class="diagram" viewBox="0 0 810 296" role="img" aria-label="The VAE is encoder, z, decoder. '
        'The GAN is z, generator, discriminator, and its generator is the same decoder, copied.">'
        f"<defs>{_tip('tip')}{_tip('handed')}</defs>{''.join(parts)}</svg>"
    )


def _tip(name: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" '
        'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8z"/></marker>'
    )


def _row(name: str, y: int) -> str:
    return f'<text class="row" x="2" y="{y - 48}">{name}</text>'


def _network(column: str, name: str, count: int | None, y: int, kind: str, *, narrowing: bool) -> str:
    x = COLUMNS[column]
    left, right = (TALL, SHORT) if narrowing else (SHORT, TALL)
    outline = f"M{x - HALF} {y - left} L{x + HALF} {y - right} V{y + right} L{x - HALF} {y + left} Z"
    size = "" if count is None else _text(column, y + 17, compact(count), "count")
    return f'<path class="{kind}" d="{outline}"/>{_text(column, y + 1, name, "name")}{size}'


def _text(column: str, y: int, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{COLUMNS[column]}" y="{y}" text-anchor="middle">{escape(text)}</text>'


def _code(y: int, caption: str) -> str:
    circle = f'<circle class="code" cx="{COLUMNS["z"]}" cy="{y}" r="19"/>'
    return circle + _text("z", y + 6, "z", "z") + _text("z", y + 40, caption, "caption")


def _arrow(y: int, start: int, end: int) -> str:
    return f'<path class="arrow" d="M{start} {y}H{end}" marker-end="url(#tip)"/>'


def _handover() -> str:
    x, start, end = COLUMNS["decoder"], TOP + 46, BOTTOM - 46
    line = f'<path class="handover" d="M{x} {start}V{end}" marker-end="url(#handed)"/>'
    middle = (start + end) // 2
    return line + f'<text class="say" x="{x + 14}" y="{middle + 4}">copied, tensor by tensor</text>'


def _images(report: Report) -> list[str]:
    """A test image and its reconstruction above, a generated image below."""
    drawn: list[str] = []
    if report.reconstructions:
        drawn.append(_image("x", TOP, report.reconstructions.originals[:1], "x"))
        drawn.append(_image("image", TOP, report.reconstructions.reconstructed[:1], "x̂"))
    generated = [model for model in report.models if model.family == "gan"]
    if generated:
        drawn.append(_image("image", BOTTOM, generated[0].samples[:1], "G(z)"))
    return drawn


def _image(column: str, y: int, pixels: Pixels, caption: str) -> str:
    x = COLUMNS[column]
    return (
        f'<image class="pixels" href="{data_uri(sheet(pixels, 1))}" x="{x - 24}" y="{y - 24}" width="48" '
        f'height="48"/>{_text(column, y + 40, caption, "caption")}'
    )
