"""What one takes away from a run about images of one's own: their codes, and how well it knows them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genlab.cli.root import JSON, RUN, app, print_json
from genlab.errors import UserError

if TYPE_CHECKING:
    from genlab.data.given import Given
    from genlab.experiment.trained import Trained

FILES = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILES…", help="Pictures, folders of pictures (sub-folders are labels), .npz files; by default the run's test images."),
]  # fmt: skip
SHOWN = 5  # of the files that were left out


@app.command(
    epilog="Examples: [bold]genlab encode latest[/]   [bold]genlab encode 001 photos/ more.npz --out codes.npz[/]"
)
def encode(
    run: RUN,
    files: FILES = None,
    out: Annotated[Path | None, typer.Option(help="An .npz file; by default in the run folder.")] = None,
    json: JSON = False,
) -> None:
    """Encode images: posterior means, log-variances, names and labels, as an .npz file."""
    from genlab.experiment.encoding import check_ending, write_codes
    from genlab.experiment.trained import open_reference

    trained = open_reference(run)
    trained.autoencoder  # noqa: B018  (says so before anything is read, where there is no encoder)
    path = out or trained.run.made / "generated" / "codes.npz"
    check_ending(path, ".npz")
    given = images_for(trained, files)
    shapes = write_codes(path, trained, given)
    if json:
        print_json(facts(path, trained, given) | {"arrays": shapes})
        return
    say_skipped(given)
    held = ", ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in shapes.items() if shape)
    typer.echo(f"wrote {path}  ({held})")


@app.command(
    epilog="Examples: [bold]genlab score latest photo.png[/]   [bold]genlab score 001 photos/ --k 500 --out scores.csv[/]"
)
def score(
    run: RUN,
    files: FILES = None,
    k: Annotated[int, typer.Option(min=1, max=100_000, help="Draws of each image's code: more make the bound on ln p(x) tighter.")] = 64,
    out: Annotated[Path | None, typer.Option(help="A .csv file; by default in the run folder.")] = None,
    json: JSON = False,
) -> None:  # fmt: skip
    """Score images: ELBO, bound, reconstruction error and novelty of each, as a CSV that says what it holds."""
    from genlab.cli.progress import console, counting
    from genlab.experiment.encoding import check_ending
    from genlab.experiment.measured import references
    from genlab.experiment.runner import load_data
    from genlab.experiment.scoring import score as measure
    from genlab.experiment.scoring import write_scores
    from genlab.experiment.trained import open_reference
    from genlab.metrics.unavailable import Unavailable

    trained = open_reference(run)
    path = out or trained.run.made / "generated" / "scores.csv"
    check_ending(path, ".csv")
    given = images_for(trained, files)
    with counting(console(to_stderr=True)) as progress:
        real = references(
            load_data(trained.experiment),
            learning=lambda step, of, loss: progress("training a feature network", step, of),
        )
        columns = measure(trained, given, real, k=k, progress=progress)
    write_scores(path, trained, given, columns)
    if json:
        about = {
            column.name: {"meaning": column.meaning}
            | (column.values.as_json() if isinstance(column.values, Unavailable) else {})
            for column in columns
        }
        print_json(facts(path, trained, given) | {"k": k, "columns": about})
        return
    say_skipped(given)
    typer.echo(f"wrote {path}  ({len(given):,} images; its first lines say what each column is)")
    for reason in dict.fromkeys(c.values.reason for c in columns if isinstance(c.values, Unavailable)):
        names = (c.name for c in columns if isinstance(c.values, Unavailable) and c.values.reason == reason)
        typer.echo(f"empty: {', '.join(names)} ({reason})")


def images_for(trained: Trained, files: list[Path] | None) -> Given:
    """The files as the run's model sees images, or its test images. Raises UserError where none is read."""
    from genlab.data.bounds import MIN_SIDE
    from genlab.data.given import of_test_set, read_given
    from genlab.experiment.runner import load_data

    data = trained.experiment.data
    assert data.shape is not None
    if files and min(data.shape[1:]) < MIN_SIDE:
        raise UserError(f"{trained.run.name} was trained on points, not on pictures; name no files")
    return read_given(files, data.shape, data.fit) if files else of_test_set(load_data(trained.experiment))


def facts(path: Path, trained: Trained, given: Given) -> dict[str, object]:
    return {
        "path": str(path), "run": trained.run.name, "step": trained.step, "images": len(given),
        "skipped": list(given.skipped),
    }  # fmt: skip


def say_skipped(given: Given) -> None:
    """Name what was left out, on standard error."""
    for line in given.skipped[:SHOWN]:
        typer.echo(f"left out {line}", err=True)
    if len(given.skipped) > SHOWN:
        typer.echo(f"… and {len(given.skipped) - SHOWN:,} more", err=True)
    if given.skipped:
        typer.echo(f"{len(given):,} images read, {len(given.skipped):,} left out", err=True)
