"""The two families as they are: their networks drawn from the models themselves, the shared part once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from genlab.app.style import BLUE, GREEN, ON_DARK, ORANGE

if TYPE_CHECKING:
    from torch import nn

WIDTH, ROW = 940, 260  # px of the whole picture, and of one family in it
THIRD, GAP = WIDTH / 3, 16  # px of a network's place, and left free at its sides
TALL, LOW = 130, 24  # px of the largest and of the smallest layer
SHARED, OWN, RIVAL = GREEN, BLUE, ORANGE  # the decoder, the encoder, the discriminator


@dataclass(frozen=True)
class Stage:
    """One layer: what it does, the shape of what comes out for one image, and its parameters."""

    what: str
    shape: tuple[int, ...]
    parameters: int

    @property
    def size(self) -> str:
        """As in "7×7×32" (height, width, channels) or "256"."""
        if len(self.shape) == 3:
            channels, height, width = self.shape
            return f"{height}×{width}×{channels}"
        return "×".join(map(str, self.shape))

    @property
    def numbers(self) -> int:
        count = 1
        for side in self.shape:
            count *= side
        return count


@dataclass(frozen=True)
class Block:
    """A network: its name, what it takes, its stages, and all of its parameters."""

    name: str
    takes: str
    stages: tuple[Stage, ...]
    parameters: int


def stages(network: nn.Module, given: Any) -> tuple[Stage, ...]:
    """The layers of `network` that change what an image is, in the order in which `given`, a batch of two,
    runs through them; the parameters of a norm between two of them count towards the one before."""
    import torch

    found: list[tuple[nn.Module, tuple[int, ...]]] = []
    layers = list(outermost(network))
    hooks = [
        layer.register_forward_hook(lambda layer, _, out: found.append((layer, tuple(out.shape[1:]))))
        for layer in layers
    ]
    was = network.training
    network.eval()
    try:
        with torch.inference_mode():
            network(given)
    finally:
        network.train(was)
        for hook in hooks:
            hook.remove()
    return tuple(Stage(called(layer), shape, share(network, layer, layers)) for layer, shape in found)


def outermost(network: nn.Module) -> Iterator[nn.Module]:
    """The layers that are drawn: convolutions with their resampling, residual blocks, and dense layers."""
    from torch.nn import Linear

    from genlab.nn.blocks import Down, Residual, Up

    for child in network.children():
        if isinstance(child, Linear | Up | Down | Residual):
            yield child
        else:
            yield from outermost(child)


def share(network: nn.Module, layer: nn.Module, layers: list[nn.Module]) -> int:
    """The parameters of `layer`, and of what follows it up to the next of `layers`."""
    starts = {id(next(iter(each.parameters()))): each for each in layers}
    total, owner = 0, layers[0]
    for parameter in network.parameters():
        owner = starts.get(id(parameter), owner)
        total += parameter.numel() if owner is layer else 0
    return total


def called(layer: nn.Module) -> str:
    """What a layer does, in two words."""
    return {"Up": "conv, ×2", "Down": "conv, ÷2", "Residual": "residual"}.get(type(layer).__name__, "dense")


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def blocks(model: Any, shape: tuple[int, int, int]) -> dict[str, Block]:
    """The networks of a VAE, a GAN or a VAE-GAN by their roles: "encoder", "decoder", "discriminator"."""
    import torch

    image = torch.zeros(2, *shape, device=model.device)
    found: dict[str, Block] = {}
    decoder = model.decoder
    z = torch.zeros(2, decoder.latent_dim, device=model.device)
    found["decoder"] = Block("Decoder", f"z: {decoder.latent_dim}", stages(decoder, z), count(decoder))
    takes = Stage("", shape, 0).size
    if hasattr(model, "encoder"):
        encoder = model.encoder
        found["encoder"] = Block("Encoder", takes, stages(encoder, image), count(encoder))
    if hasattr(model, "discriminator"):
        critic = model.discriminator
        many = torch.zeros(2 * critic.pack, *shape, device=model.device)
        found["discriminator"] = Block("Discriminator", takes, stages(critic, many), count(critic))
    return found


def picture(vae: dict[str, Block], gan: dict[str, Block], dark: bool) -> str:
    """The VAE above, the GAN below, as SVG: image → encoder → z → decoder → image, and z → generator → image
    → discriminator → logit. The decoder stands at the same place in both, tied by a band."""
    ink = "#fafafa" if dark else "#31333f"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {2 * ROW}" font-family="sans-serif" '
        f'font-size="12" fill="{ink}" color="{ink}" role="img" aria-label="{escape(said(vae, gan))}">'
        f"{above(vae)}{band()}{below(gan)}</svg>"
    )
    for colour, lighter in ON_DARK.items():
        svg = svg.replace(colour, lighter) if dark else svg
    return svg


def said(vae: dict[str, Block], gan: dict[str, Block]) -> str:
    """The picture in words."""
    return "; ".join(
        f"{family}: "
        + ", ".join(f"{each.name} with {each.parameters:,} parameters" for each in many.values())
        for family, many in (("VAE", vae), ("GAN", gan))
    )


def above(vae: dict[str, Block]) -> str:
    """Encoder, decoder, and nothing that would judge the image."""
    parts = [name(0, "VAE", "an image is put through a code and back")]
    if "encoder" in vae:
        parts += [drawn(vae["encoder"], "Encoder", 0, 0, OWN, "q(z│x)"), arrow(1, 0)]
    parts += [drawn(vae["decoder"], "Decoder", 1, 0, SHARED)]
    return "".join(
        [*parts, note(2, 0, ("no discriminator:", "the image is compared", "with the one that went in"))]
    )


def below(gan: dict[str, Block]) -> str:
    """Nothing that would encode, the generator, the discriminator."""
    parts = [name(1, "GAN", "an image is made from noise, and judged"), arrow(1, 1)]
    parts += [
        note(0, 1, ("no encoder:", "z is drawn by chance")),
        drawn(gan["decoder"], "Generator", 1, 1, SHARED),
    ]
    if "discriminator" in gan:
        parts += [arrow(2, 1), drawn(gan["discriminator"], "Discriminator", 2, 1, RIVAL, "one logit")]
    return "".join(parts)


def name(row: int, family: str, what: str) -> str:
    return (
        f'<text y="{row * ROW + 17}"><tspan font-size="17" font-weight="bold">{family}</tspan>'
        f'<tspan dx="8" opacity=".7">{what}</tspan></text>'
    )


def drawn(block: Block, title: str, slot: int, row: int, colour: str, ends: str = "") -> str:
    """A network in its third of the width: its layers as bars, as tall as the logarithm of the numbers that
    they give."""
    if not block.stages:
        return ""
    left, each = slot * THIRD + GAP, (THIRD - 2 * GAP) / len(block.stages)
    most = max(math.log(stage.numbers + 1) for stage in block.stages)
    bars = (
        bar(stage, left + index * each, each, middle(row), stage_height(stage, most), colour)
        for index, stage in enumerate(block.stages)
    )
    foot = f"{block.takes} → {ends or block.stages[-1].size}"
    return (
        f'<text x="{left}" y="{row * ROW + 44}" font-weight="bold" font-size="13">{title}</text>'
        f"{''.join(bars)}"
        f'<text x="{left}" y="{middle(row) + TALL / 2 + 36}" opacity=".8">{escape(foot)}'
        f'<tspan dx="8" font-weight="bold">{block.parameters:,} parameters</tspan></text>'
    )


def stage_height(stage: Stage, most: float) -> float:
    return LOW + (TALL - LOW) * math.log(stage.numbers + 1) / most


def bar(stage: Stage, x: float, width: float, centre: float, tall: float, colour: str) -> str:
    """One layer: the shape that it gives inside, what it does beneath, its parameters where one points."""
    tip = f"{stage.what} → {stage.size}, {stage.parameters:,} parameters"
    lines = [stage.size]
    if len(stage.shape) == 3 and width < 76:
        sides, channels = stage.size.rsplit("×", 1)
        lines = [sides, f"×{channels}"]
    words = "".join(
        label(x + width / 2, centre + 4 + 13 * (index - (len(lines) - 1) / 2), line, 11)
        for index, line in enumerate(lines)
    )
    return (
        f'<g><title>{escape(tip)}</title><rect x="{x + 2:.1f}" y="{centre - tall / 2:.1f}" rx="4" '
        f'width="{width - 4:.1f}" height="{tall:.1f}" fill="{colour}" fill-opacity=".22" stroke="{colour}" '
        f'stroke-width="1.5"/>{words}</g>'
        + label(x + width / 2, centre + TALL / 2 + 16, stage.what, 10.5, 0.75)
    )


def middle(row: int) -> float:
    return row * ROW + 54 + TALL / 2


def label(x: float, y: float, text: str, size: float, opacity: float = 1.0, style: str = "normal") -> str:
    look = f'text-anchor="middle" font-size="{size}" opacity="{opacity}" font-style="{style}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(text)}</text>'


def band() -> str:
    """What ties the decoder above to the generator below."""
    centre, top, bottom = WIDTH / 2, middle(0) + TALL / 2 + 46, ROW + 34
    path = f"M{centre - 46} {top}H{centre + 46}V{bottom - 14}h16l-62 14l-62 -14h16Z"
    words = label(centre, (top + bottom) / 2, "copied", 11)
    return f'<path d="{path}" fill="{SHARED}" fill-opacity=".25"/>{words}'


def arrow(slot: int, row: int) -> str:
    """Into the network at `slot`."""
    start, end, height = slot * THIRD - GAP + 3, slot * THIRD + GAP - 2, middle(row)
    return (
        f'<path d="M{start:.1f} {height:.1f}H{end - 6:.1f}" stroke="currentColor" stroke-opacity=".6" '
        f'stroke-width="1.5"/><path d="M{end:.1f} {height:.1f}l-8 -4v8Z" fill-opacity=".6"/>'
    )


def note(slot: int, row: int, lines: tuple[str, ...]) -> str:
    top = middle(row) - 8 * (len(lines) - 1)
    return "".join(
        label(slot * THIRD + THIRD / 2, top + 16 * index, line, 12, 0.7, "italic")
        for index, line in enumerate(lines)
    )
