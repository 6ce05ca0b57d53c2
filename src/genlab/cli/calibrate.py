"""`genlab calibrate`: what does each instrument see?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genlab.cli.root import JSON, app, print_json

if TYPE_CHECKING:
    from rich.console import Console


@app.command(epilog="Examples: [bold]genlab calibrate[/]   [bold]genlab calibrate mnist --out table.json[/]")
def calibrate(
    data: Annotated[str | None, typer.Argument(help="Data whose test images are corrupted and measured; without it the table that ships is shown.")] = None,
    features: Annotated[str, typer.Option(help="own, random or inception; for the shipped table own or random.")] = "own",
    out: Annotated[Path | None, typer.Option(help="Write the table as JSON.")] = None,
    json: JSON = False,
) -> None:  # fmt: skip
    """Show which instrument sees which corruption of real images, or measure it on your own."""
    from genlab.cli.progress import console

    screen = console(to_stderr=json)
    if data is None:
        from genlab.evaluation.calibration import shipped

        table = shipped()["random" if features == "random" else "classifier"]
    else:
        table = measured(data, features, screen)
    if out is not None:
        from genlab.runs.files import write_json

        write_json(out, table)
        screen.print(f"wrote {out}")
    if json:
        print_json(table)
    else:
        show(table, screen)


def measured(data: str, features: str, screen: Console) -> dict[str, Any]:
    """The table of a data set, with progress: about thirty measurements."""
    from rich.progress import track

    from genlab.data import load
    from genlab.data.fetch import cache_folder
    from genlab.evaluation.calibration import COUNT, calibrate, halves, table
    from genlab.evaluation.corruptions import CORRUPTIONS
    from genlab.evaluation.feature_networks import extractor_for

    dataset = load(data)
    extractor = extractor_for(dataset, kind=features, folder=cache_folder() / "features")
    references, _ = halves(dataset, extractor, COUNT)
    total = 2 + sum(len(corruption.grades) for corruption in CORRUPTIONS.values())
    rows = calibrate(dataset, extractor)
    found = list(track(rows, "measuring corrupted images", total=total, console=screen))
    facts = {"data": references.data, "count": COUNT, "references": references.count}
    return table(found, references.networks, facts)


def show(table: dict[str, Any], screen: Console) -> None:
    """Faults down, instruments across: ● sees, · does not, ▽ is fooled."""
    from rich.table import Table
    from rich.text import Text

    from genlab.evaluation.calibration import decided, sentence, verdict
    from genlab.evaluation.corruptions import CORRUPTIONS
    from genlab.evaluation.instruments import INSTRUMENTS

    kept, responses = decided(table), table["responses"]
    keys = [key for key in INSTRUMENTS if any(value is not None for value in responses.get(key, ()))]
    grid = Table(box=None, padding=(0, 1, 0, 0), show_edge=False)
    grid.add_column("real images with", no_wrap=True)
    for number, key in enumerate(keys, 1):
        grid.add_column(
            str(number), justify="center", no_wrap=True, header_style="bold" if key in kept else "dim"
        )
    signs = {"sees": Text("●", "green"), "blind": Text("·", "dim"), "fooled": Text("▽", "yellow")}
    for index, row in enumerate(table["rows"]):
        name = row["corruption"]
        label = "nothing: other images" if name == "none" else f"{name} {row['grade']:g}"
        found = (verdict(responses[key][index], table["threshold"]) for key in keys)
        grid.add_row(label, *(signs[each] for each in found))
    screen.print(grid)
    screen.print(
        f"● moves for the worse by more than {table['threshold']:g} standard errors, ▽ for the better, · neither. "
        f"N = {table['count']:,} samples against {table['references']:,} test images of {table['data']}; "
        f"features: {', '.join(table['networks'].values())}. The number after a fault is its grade: "
        + "; ".join(f"{name}: {each.unit}" for name, each in CORRUPTIONS.items())
        + ".",
        style="dim",
    )
    for number, key in enumerate(keys, 1):
        head = Text(f"{number:>2} {INSTRUMENTS[key].heading}", "bold" if key in kept else "")
        screen.print(head + Text(f": {sentence(table, key)}", "dim"))
    screen.print(
        "bold: in the default report, since it sees, or tells apart, what none before it does", style="dim"
    )
