"""`genlab data`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from genlab.cli.root import JSON, app, print_json

MOST_CLASSES = 30  # that are listed one by one


@app.command(
    epilog="Examples: [bold]genlab data[/]   [bold]genlab data my-photos/[/]   [bold]genlab data fashion-mnist[/]"
)
def data(
    name: Annotated[str | None, typer.Argument(help="A data set to load (and download where it must be), a folder, or an .npz file.")] = None,
    validation: Annotated[float, typer.Option(help="Hold out this fraction of the training images, as data.validation does.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Which images are held out, as training.seed decides.")] = 0,
    json: JSON = False,
) -> None:  # fmt: skip
    """List the data sets, or load one and say what is in it, and what is in it twice."""
    if name is None:
        show_listing(json)
        return
    from genlab.data.duplicates import duplicates
    from genlab.data.source import load

    dataset = load(name, validation=validation, seed=seed)
    found = duplicates(dataset)
    if json:
        print_json({**dataset.describe(), "classes_of": dataset.sizes(), "duplicates": found.as_json()})
        return
    for key, value in dataset.describe().items():
        typer.echo(f"{key.replace('_', ' '):<16} {value}")
    for split, classes in dataset.sizes().items():
        if classes:
            typer.echo(f"{split:<16} {per_class(classes)}")
    for line in found.sentences() or ["no image stands in it twice"]:
        typer.echo(line)


def per_class(classes: dict[str, int]) -> str:
    """The images of each class, or from how few to how many where there are too many classes to list."""
    if len(classes) <= MOST_CLASSES:
        return ", ".join(f"{name}: {count:,}" for name, count in classes.items())
    low, high = min(classes.values()), max(classes.values())
    return f"{low:,} to {high:,} images in each of {len(classes):,} classes"


def show_listing(json: bool) -> None:
    from genlab.data.listing import listing

    rows = listing()
    if json:
        print_json([asdict(row) for row in rows])
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("name", "images", "size", "classes", "where", "what")
    for row in rows:
        channels, height, width = row.shape
        size = f"{height}×{width}×{channels}"
        cells = (row.name, f"{row.images:,}", size, str(row.classes), row.where, row.description)
        table.add_row(*(Text(cell) for cell in cells))
    Console().print(table)
    typer.echo(
        "also: any folder of images (sub-folders are labels; train, validation and test are splits), "
        "any .npz with `images`: genlab data PATH"
    )
