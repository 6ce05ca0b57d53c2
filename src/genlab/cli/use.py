"""What one does with a trained run: generate, reconstruct, interpolate, fit its prior."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genlab.cli.root import JSON, RUN, app, print_json
from genlab.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

COUNT = Annotated[int, typer.Option("-n", "--number", min=1, max=1_000_000, help="How many images.")]
SEED = Annotated[int, typer.Option(min=0, help="The same seed draws the same latents.")]
PRIOR = Annotated[
    str | None,
    typer.Option(
        help="'own' (as trained) or 'fitted' (after genlab fit-prior); as RUN says by default.",
        show_default=False,
    ),
]
COLUMNS = Annotated[
    int | None,
    typer.Option(
        min=1, max=1000, help="Images in a row of the sheet; by default what makes it about square."
    ),
]
OUT = Annotated[Path | None, typer.Option(help="Where to write; by default into the run folder.")]


@app.command(
    epilog="Examples: [bold]genlab generate latest -n 64[/]   "
    "[bold]genlab generate 001 -n 10000 --out digits.npz --prior fitted[/]"
)
def generate(
    run: RUN,
    number: COUNT = 64,
    seed: SEED = 0,
    truncation: Annotated[float, typer.Option(min=0, max=2, help="Scales z: below 1, fewer surprises and less variety.")] = 1.0,
    prior: PRIOR = None,
    best: Annotated[bool, typer.Option("--best", help="From the best checkpoint by validation, as RUN@best.")] = False,
    columns: COLUMNS = None,
    out: OUT = None,
    json: JSON = False,
) -> None:  # fmt: skip
    """Generate images from noise: a PNG sheet, or an .npz with images and latents."""
    from genlab.experiment.trained import open_reference, save_images

    if prior not in (None, "own", "fitted"):
        raise UserError(f"--prior is 'own' or 'fitted', not {prior!r}")
    trained = open_reference(run, prior=prior, step="best" if best else None)
    drawn = trained.sample(number, seed, truncation=truncation)
    path = out or trained.run.made / "generated" / f"seed-{seed}.png"
    save_images(drawn.images, path, latents=drawn.latents, columns=columns)
    report(
        path, json, run=trained.run.name, step=trained.step, images=number, seed=seed, truncation=truncation,
        prior=trained.prior,
    )  # fmt: skip


@app.command(
    epilog="Examples: [bold]genlab reconstruct latest[/]   [bold]genlab reconstruct latest a.png b.png[/]   "
    "[bold]genlab reconstruct GAN_RUN --invert[/]"
)
def reconstruct(
    run: RUN,
    files: Annotated[list[Path] | None, typer.Argument(help="Images to reconstruct; by default test images.")] = None,
    number: COUNT = 32,
    invert: Annotated[bool, typer.Option("--invert", help="Search for each image's z by gradient descent instead of encoding it.")] = False,
    encoder: Annotated[str | None, typer.Option("--with", metavar="RUN", help="Encode with this VAE; a GAN takes the one that its generator came from.")] = None,
    out: OUT = None,
    json: JSON = False,
) -> None:  # fmt: skip
    """Encode images and decode them again: a sheet of pairs, original on the left."""
    import torch

    from genlab.cli.progress import console, counting
    from genlab.experiment.returning import come_back
    from genlab.experiment.trained import open_reference, save_images

    trained = open_reference(run)
    found = trained.run
    other = None if encoder is None else open_reference(encoder)
    images = given_images(files, trained.experiment) if files else test_images(trained.experiment, number)
    with counting(console(to_stderr=True)) as progress:
        again, how = come_back(
            trained, images, search=invert, encoder=other,
            progress=lambda done, of: progress("searching for latents", done, of),
        )  # fmt: skip
    error = (again - images).square().mean().item() / 4
    path = out or found.made / "generated" / "reconstructions.png"
    pairs = torch.stack([images, again], dim=1).flatten(0, 1)
    save_images(pairs, path, columns=min(8, len(pairs)))
    facts: dict[str, object] = {"images": len(images), "mean_squared_error": round(error, 6)}
    report(path, json, run=found.name, **facts, **({"how": how} if json else {}))
    if not json:
        typer.echo(how)


@app.command(epilog="Example: [bold]genlab interpolate latest --rows 6 --spherical[/]")
def interpolate(
    run: RUN,
    rows: Annotated[int, typer.Option(min=1, max=100, help="Pairs of latents.")] = 6,
    steps: Annotated[int, typer.Option(min=2, max=100, help="Images from one latent to the other.")] = 10,
    spherical: Annotated[bool, typer.Option(help="Along the arc instead of the line.")] = False,
    seed: SEED = 0,
    prior: PRIOR = None,
    out: OUT = None,
    json: JSON = False,
) -> None:
    """Walk from one latent to another, one row of images per walk."""
    from genlab.experiment.trained import open_reference, save_images

    trained = open_reference(run, prior=prior)
    found = trained.run
    ends = trained.sample(2 * rows, seed).latents
    images = trained.interpolate(ends[:rows], ends[rows:], steps, spherical=spherical)
    path = out or found.made / "generated" / f"interpolation-{seed}.png"
    save_images(images, path, columns=steps)
    report(path, json, run=found.name, rows=rows, steps=steps, spherical=spherical, seed=seed)


@app.command(
    epilog="Examples: [bold]genlab decode latest codes.npz[/]   "
    "[bold]genlab decode GAN_RUN codes.npz --out digits.npz[/]"
)
def decode(
    run: RUN,
    latents: Annotated[Path, typer.Argument(metavar="FILE", help="An .npz file: its latents, as genlab generate and the app write them, or its mean, as genlab encode does.")],
    columns: COLUMNS = None,
    out: OUT = None,
    json: JSON = False,
) -> None:  # fmt: skip
    """Decode latents that were kept in an .npz file: a PNG sheet, or an .npz with images and latents."""
    import torch

    from genlab.data.npz import read_latents
    from genlab.experiment.trained import open_reference, save_images

    trained = open_reference(run)
    found, needed = torch.from_numpy(read_latents(latents)), trained.model.prior.latent_dim
    if found.shape[1] != needed:
        raise UserError(f"{latents} holds latents of {found.shape[1]} dimensions and {run} decodes {needed}")
    path = out or trained.run.made / "generated" / f"{latents.stem}.png"
    save_images(trained.decode(found), path, latents=found, columns=columns)
    report(path, json, run=trained.run.name, step=trained.step, images=len(found))


@app.command("fit-prior", epilog="Then: [bold]genlab generate RUN --prior fitted[/]")
def fit_prior(
    run: RUN,
    components: Annotated[int | None, typer.Option(min=1, max=1024, help="Gaussians in the mixture; by default 64, fewer for few images.")] = None,
    kind: Annotated[str, typer.Option(help="'mixture' (Gaussians) or 'flow' (RealNVP).")] = "mixture",
    json: JSON = False,
) -> None:  # fmt: skip
    """Fit a mixture or a flow to a VAE's codes: the second stage, seconds of work for far better samples."""
    from genlab.experiment.runner import load_data
    from genlab.experiment.second_stage import KINDS
    from genlab.experiment.second_stage import fit_prior as fit
    from genlab.experiment.trained import open_reference, prior_path
    from genlab.networks.flow import Flow

    if kind not in KINDS:
        raise UserError(f"--kind is 'mixture' or 'flow', not {kind!r}")
    if kind == "flow" and components is not None:
        raise UserError("--components is the number of Gaussians in a mixture; a flow has none, leave it out")
    trained = open_reference(run)
    found = trained.run
    prior, seconds = fit(trained, load_data(trained.experiment), components, kind=kind)
    path = prior_path(found, trained.best)
    sizes = prior.sizes if isinstance(prior, Flow) else {"components": len(prior.weights)}
    report(path, json, run=found.name, kind=kind, **sizes, seconds=round(seconds, 2))


def given_images(files: list[Path], experiment: object) -> Tensor:
    """The files as the run's model sees images. Raises UserError naming the first that can't be read."""
    import numpy as np
    import torch

    from genlab.data.batches import to_float
    from genlab.data.pictures import read_picture
    from genlab.experiment.schema import Experiment

    assert isinstance(experiment, Experiment)
    assert experiment.data.shape is not None
    pictures = [read_picture(path, experiment.data.shape, experiment.data.fit) for path in files]
    return to_float(torch.from_numpy(np.stack(pictures)))


def test_images(experiment: object, number: int) -> Tensor:
    from genlab.experiment.runner import known_tests, load_data
    from genlab.experiment.schema import Experiment

    assert isinstance(experiment, Experiment)
    return known_tests(experiment, load_data(experiment), number)


def report(path: Path, json: bool, **facts: object) -> None:
    if json:
        print_json({"path": str(path), **facts})
    else:
        detail = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in facts.items())
        typer.echo(f"wrote {path}  ({detail})")
