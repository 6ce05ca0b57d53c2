"""`genlab data`, and `genlab data pack`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from genlab.cli.root import JSON, app, print_json

if TYPE_CHECKING:
    from rich.console import Console

MOST_CLASSES = 30  # that are listed one by one
EXAMPLES = (
    "Examples: [bold]genlab data[/]   [bold]genlab data my-photos/[/]   [bold]genlab data fashion-mnist[/]   "
    "[bold]genlab data pack my-photos/ shards/[/]"
)


class ShowsByDefault(TyperGroup):
    """`genlab data NAME` is short for `genlab data show NAME`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0] not in {*self.commands, "-h", "--help"}:
            args = ["show", *args]
        return super().parse_args(ctx, args)


data = typer.Typer(cls=ShowsByDefault, rich_markup_mode="rich", epilog=EXAMPLES)
app.add_typer(data, name="data")


@data.callback()
def about() -> None:
    """List the data sets, load one and say what is in it (`genlab data NAME`), or pack one into shards."""


@data.command(epilog=EXAMPLES)
def show(
    name: Annotated[str | None, typer.Argument(help="A data set to load (and download where it must be), a folder, or an .npz file.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Of shards: read every byte and compare it with what was packed.")] = False,
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

    if verify:
        from genlab.data.shards import verify as read_and_compare

        read_and_compare(Path(name))
    dataset = load(name, validation=validation, seed=seed)
    found = None if dataset.streams else duplicates(dataset)
    if json:
        twice = None if found is None else found.as_json()
        print_json({**dataset.describe(), "classes_of": dataset.sizes(), "duplicates": twice})
        return
    for key, value in dataset.describe().items():
        typer.echo(f"{key.replace('_', ' '):<16} {value}")
    for split, classes in dataset.sizes().items():
        if classes:
            typer.echo(f"{split:<16} {per_class(classes)}")
    if found is None:
        typer.echo("images that stand in it twice are not looked for, since they stay on disk")
        return
    for line in found.sentences() or ["no image stands in it twice"]:
        typer.echo(line)


@data.command(epilog="Example: [bold]genlab data pack my-photos/ shards/ --size 64 --shuffle[/]")
def pack(
    source: Annotated[str, typer.Argument(help="A data set, a folder of images, or an .npz file.")],
    out: Annotated[Path, typer.Argument(help="The new folder of the shards, a data set wherever one is named.")],
    shard_size: Annotated[int | None, typer.Option(min=1, help="Images in a shard; by default as many as make 128 MiB.")] = None,
    size: Annotated[int | None, typer.Option(min=8, max=1024, help="Side of the square images in pixels.")] = None,
    channels: Annotated[int | None, typer.Option(help="1 for grey, 3 for colour.")] = None,
    fit: Annotated[str, typer.Option(help="How an image that is not square becomes so: crop or pad.")] = "crop",
    validation: Annotated[float, typer.Option(help="Hold out this fraction of the training images.")] = 0.0,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Mix the images first, so that a window of them is a fair sample.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Which images are for testing or held out, and how they are mixed.")] = 0,
    json: JSON = False,
) -> None:  # fmt: skip
    """Pack images into shards that training streams from disk, so that they need not fit in memory."""
    from genlab.cli.progress import console
    from genlab.data.packing import pack as pack_images

    screen = console(to_stderr=json)
    manifest = pack_images(
        source, out, shard_size=shard_size, size=size, channels=channels, fit=fit,  # type: ignore[arg-type]
        seed=seed, validation=validation, shuffle=shuffle,
        progress=every_few_seconds(screen),
    )  # fmt: skip
    if json:
        print_json(manifest.as_json())
        return
    for split, shards in manifest.splits.items():
        count, size_of = sum(shard.count for shard in shards), sum(shard.bytes for shard in shards)
        screen.print(f"{split:<11} {count:,} images in {len(shards)} shards, {size_of / 1e6:,.1f} MB")
    screen.print(f"packed [bold]{out}[/]; train on it with [bold]genlab train vae --data {out}[/]")


def every_few_seconds(screen: Console) -> Callable[[str, int], None]:
    from genlab.cli.progress import PLAIN_SECONDS

    shown = time.monotonic()

    def progress(split: str, done: int) -> None:
        nonlocal shown
        if time.monotonic() - shown >= PLAIN_SECONDS:
            shown = time.monotonic()
            screen.print(f"{split}: {done:,} images", style="dim")

    return progress


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
        "any .npz with `images`, any folder that `genlab data pack` made: genlab data PATH"
    )
