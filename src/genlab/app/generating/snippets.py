"""Code and commands that make, outside the app, the very images that a page shows."""

from __future__ import annotations

from collections.abc import Sequence
from json import dumps
from shlex import quote

from genlab.app.entries import Entry
from genlab.app.generating.cast import Cast


def opening(cast: Cast) -> list[str]:
    """The lines that open every model of the cast, each called by its family, for there is one of each."""
    lines = ["import genlab", ""]
    for entry in cast.shown:
        fitted = ', prior="fitted"' if cast.prior == "fitted" and entry.path == cast.origin.path else ""
        lines.append(f"{entry.family} = genlab.open_run(genlab.find_run({dumps(entry.name)}){fitted})")
    return lines


def saving(cast: Cast, latents: str, columns: int, what: str) -> list[str]:
    """The lines in which every model decodes `latents` into a sheet."""
    return [
        f"genlab.save_images({entry.family}.decode({latents}), {dumps(f'{entry.name}-{what}.png')}, "
        f"columns={columns})"
        for entry in cast.shown
    ]


def of_samples(cast: Cast, number: int, seed: int, truncation: float, columns: int) -> str:
    drawn = f"latents = {cast.origin.family}.sample({number}, seed={seed}, truncation={truncation:g}).latents"
    return "\n".join([*opening(cast), drawn, *saving(cast, "latents", columns, f"seed-{seed}")])


def of_path(cast: Cast, rows: int, steps: int, seed: int, spherical: bool) -> str:
    """Row by row from one latent to another."""
    way = ", spherical=True" if spherical else ""
    lines = opening(cast)
    lines[1:1] = ["from genlab.experiment.trained import along"]
    lines += [
        f"ends = {cast.origin.family}.sample({2 * rows}, seed={seed}).latents",
        f"latents = along(ends[:{rows}], ends[{rows}:], {steps}{way}).flatten(0, 1)",
    ]
    return "\n".join([*lines, *saving(cast, "latents", steps, f"rows-{seed}")])


def of_square(cast: Cast, steps: int, seed: int, spherical: bool) -> str:
    """A square between four latents."""
    way = ", spherical=True" if spherical else ""
    lines = opening(cast)
    lines[1:1] = ["from genlab.experiment.trained import square"]
    lines += [
        f"corners = {cast.origin.family}.sample(4, seed={seed}).latents",
        f"latents = square(corners, {steps}{way}).flatten(0, 1)",
    ]
    return "\n".join([*lines, *saving(cast, "latents", steps, f"corners-{seed}")])


def of_sum(cast: Cast, operands: Sequence[str], encodes: bool, tests: int, steps: int) -> str:
    """a − b + c and the way from a to it, of `operands` as expressions; where a model encodes they may speak
    of the `codes` and `labels` of the test images."""
    lines = ["import torch", "", "import genlab", *opening(cast)[1:]]
    imports = ["from genlab.experiment.trained import along"]
    if encodes and any("codes" in each for each in operands):
        vae = cast.shown[0].family
        imports = [
            "from genlab.experiment.encoding import posteriors",
            "from genlab.experiment.runner import load_data",
            *imports,
        ]
        lines += [
            f"test = load_data({vae}.experiment).test",
            f"codes, _ = posteriors({vae}, test.pixels[:{tests}])",
            f"labels = test.labels[:{tests}]",
        ]
    lines[3:3] = imports
    lines += [f"{name} = {each}" for name, each in zip("abc", operands, strict=True)]
    lines += [
        "result = a - b + c",
        f"path = along(a[None], result[None], {steps})[0]",
        "latents = torch.cat([torch.stack([a, b, c, result]), path])",
    ]
    return "\n".join([*lines, *saving(cast, "latents", 4, "arithmetic")])


def reference(entry: Entry, prior: str) -> str:
    return quote(f"{entry.name}:fitted" if prior == "fitted" else entry.name)


def decoding(entry: Entry, what: str, columns: int) -> str:
    """The command that decodes the latents in the .npz that the page offers."""
    name = quote(f"{entry.name}-{what}.npz")
    out = quote(f"{entry.name}-{what}.png")
    return f"genlab decode {quote(entry.name)} {name} --columns {columns} --out {out}"


def generating(cast: Cast, number: int, seed: int, truncation: float, columns: int) -> str:
    """The commands that draw samples; a model that decodes another's z takes them from the .npz."""
    what, lines = f"seed-{seed}", []
    for entry in cast.shown:
        if entry.path == cast.origin.path:
            scale = f" --truncation {truncation:g}" if truncation != 1 else ""
            lines.append(
                f"genlab generate {reference(entry, cast.prior)} -n {number} --seed {seed}{scale} "
                f"--columns {columns} --out {quote(f'{entry.name}-{what}.png')}"
            )
        else:
            lines.append(decoding(entry, what, columns))
    return "\n".join(lines)


def interpolating(cast: Cast, rows: int, steps: int, seed: int, spherical: bool) -> str:
    """As `generating`, for rows of ways."""
    what, lines = f"rows-{seed}", []
    for entry in cast.shown:
        if entry.path == cast.origin.path:
            way = " --spherical" if spherical else ""
            lines.append(
                f"genlab interpolate {reference(entry, cast.prior)} --rows {rows} --steps {steps} "
                f"--seed {seed}{way} --out {quote(f'{entry.name}-{what}.png')}"
            )
        else:
            lines.append(decoding(entry, what, steps))
    return "\n".join(lines)
