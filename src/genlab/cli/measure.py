"""`genlab evaluate`, and how runs come to be measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from genlab.cli.root import JSON, RUN, app, print_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from genlab.evaluation.compare import Comparison

COUNT = Annotated[
    int,
    typer.Option("-n", "--number", min=40, max=1_000_000, help="Samples; distances compare at one N only."),
]
SEED = Annotated[int, typer.Option(min=0, help="Seed of the samples.")]
FULL = Annotated[bool, typer.Option("--full", help="Every instrument, and a tighter likelihood: minutes.")]
FEATURES = Annotated[
    str, typer.Option(help="The feature network: own, random or inception; numbers compare on one only.")
]
Record = dict[str, Any]


@app.command(
    epilog="Examples: [bold]genlab evaluate latest[/]   [bold]genlab evaluate 001:fitted --explain[/]"
)
def evaluate(
    run: RUN,
    number: COUNT = 10_000,
    seed: SEED = 0,
    full: FULL = False,
    features: FEATURES = "own",
    prior: Annotated[str, typer.Option(help="'own' (as trained) or 'fitted' (after genlab fit-prior); RUN:fitted is the same.")] = "own",
    explain: Annotated[bool, typer.Option("--explain", help="What each instrument sees, and what not.")] = False,
    json: JSON = False,
) -> None:  # fmt: skip
    """Measure a run: its samples against held-out images, its likelihood, its cost."""
    from genlab.cli.progress import console
    from genlab.errors import UserError
    from genlab.evaluation.compare import compare
    from genlab.evaluation.instruments import INSTRUMENTS
    from genlab.runs.reference import parse_reference

    if prior not in ("own", "fitted"):
        raise UserError(f"--prior is 'own' or 'fitted', not {prior!r}")
    if prior == "fitted" and parse_reference(run).prior != "fitted":
        run = f"{run}:fitted"
    out = console(to_stderr=json)
    found, floor, ceiling = measured([run], number, seed, full, features, out, fresh=True)
    if json:
        print_json({**found[0], "floor": floor, "ceiling": ceiling})
        return
    measured_keys = [key for key in INSTRUMENTS if key in found[0]["values"]]
    for text in evaluation(compare(found, floor, ceiling, measured_keys), out.width, explain):
        out.print(text)
    if picture := found[0]["details"].get("nearest"):
        out.print(
            f"samples beside the training images nearest to them: {found[0]['run']}/{picture}", style="dim"
        )


def measured(
    references: list[str],
    number: int,
    seed: int,
    full: bool,
    features: str,
    out: Console,
    fresh: bool = False,
) -> tuple[list[Record], Record, Record]:
    """The records of RUN, RUN:fitted or RUN@best, in this order, measured where they are not kept yet or
    where `fresh`; the floor and the ceiling."""
    from genlab.cli.progress import console, counting
    from genlab.experiment.measured import records
    from genlab.runs.reference import parse_reference

    with counting(out if out.is_terminal else console(to_stderr=True)) as progress:
        progress(f"measuring at N = {number:,}", 0, 1)
        found, floor, ceiling = records(
            references, count=number, seed=seed, full=full, features=features, fresh=fresh, progress=progress
        )
    named = [
        {**record, "reference": name, "checkpoint": parse_reference(name).step}
        for record, name in zip(found, references, strict=True)
    ]
    return named, floor, ceiling


def evaluation(comparison: Comparison, width: int, explain: bool) -> list[Text]:
    """One run's values in groups, each with its interval, between floor and ceiling; then what is missing."""
    from rich.text import Text

    from genlab.cli.columns import Line, even, plainly
    from genlab.cli.tables import explained, figure, notes
    from genlab.lessons.comparison.figures import costs, described

    (entry,) = comparison.entries
    texts = [Text.assemble((entry.name, "bold"), f"  {described(entry)}")]
    groups: dict[str, list[Line]] = {}
    instruments = {}
    for row in comparison.shown():
        instruments[row.instrument.heading] = row.instrument
        ends = [figure(end, row, False, "dim") for end in (row.floor, row.ceiling)]
        line = Line(row.instrument.heading, even([figure(row.cells[0], row, False), *ends]))
        groups.setdefault(row.instrument.group, []).append(line)
    for label, text in plainly(["value", "floor", "ceiling"], groups):
        texts.append(text)
        if explain and label in instruments:
            texts += explained(instruments[label], width)
    texts += [Text(), Text("cost", "bold cyan")]
    texts += [Text(f"{label:<14}{each[0]}") for label, each in costs(comparison.entries)]
    return [*texts, *notes(comparison)]
