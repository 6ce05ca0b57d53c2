"""`genlab evaluate` and `genlab compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from genlab.cli.root import JSON, RUN, app, print_json
from genlab.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

COUNT = Annotated[
    int,
    typer.Option("-n", "--number", min=40, max=1_000_000, help="Samples; distances compare at one N only."),
]
SEED = Annotated[int, typer.Option(min=0, help="Seed of the samples.")]
Record = dict[str, Any]


@app.command(epilog="Examples: [bold]genlab evaluate latest[/]   [bold]genlab evaluate 001 --prior fitted[/]")
def evaluate(
    run: RUN,
    number: COUNT = 10_000,
    seed: SEED = 0,
    prior: Annotated[
        str, typer.Option(help="'own' (as trained) or 'fitted' (after genlab fit-prior).")
    ] = "own",
    json: JSON = False,
) -> None:
    """Measure a run: its samples against held-out images, its likelihood, its cost."""
    from genlab.cli.progress import console

    out = console(to_stderr=json)
    records, bounds = measured([run], [prior], number, seed, out, fresh=True)
    if json:
        print_json({**records[0], "floor": bounds[0], "ceiling": bounds[1]})
        return
    print_table(records, bounds, out)
    print_likelihoods(records, out)


@app.command(epilog="Example: [bold]genlab compare 001 002[/]")
def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN RUN …", help="Runs; RUN:fitted draws z from its fitted prior.")],
    number: COUNT = 10_000,
    seed: SEED = 0,
    json: JSON = False,
) -> None:  # fmt: skip
    """Measure several runs with one yardstick and put them in one table."""
    from genlab.cli.progress import console

    if len(runs) < 2:
        raise UserError("compare needs two runs or more; `genlab evaluate RUN` measures one")
    out = console(to_stderr=json)
    names, priors = zip(*(split(run) for run in runs), strict=True)
    records, bounds = measured(list(names), list(priors), number, seed, out)
    if json:
        print_json({"runs": records, "floor": bounds[0], "ceiling": bounds[1]})
        return
    print_table(records, bounds, out)
    print_likelihoods(records, out)
    out.print(
        "one training each: the intervals are those of drawing samples, not of training again", style="dim"
    )


def split(reference: str) -> tuple[str, str]:
    """`RUN:fitted` -> (RUN, "fitted")."""
    name, colon, prior = reference.rpartition(":")
    if colon and prior in ("own", "fitted"):
        return name, prior
    return reference, "own"


def measured(
    references: list[str], priors: list[str], number: int, seed: int, out: Console, fresh: bool = False
) -> tuple[list[Record], tuple[Record, Record]]:
    """The records of runs on one data set, measured where they are not kept yet. Raises UserError where the
    runs' data differ."""
    from genlab.experiment.measured import bounds, evaluate_run, kept
    from genlab.experiment.measured import references as real_images
    from genlab.experiment.runner import load_data
    from genlab.experiment.trained import open_run
    from genlab.runs.store import find_run

    opened = [open_run(find_run(name), prior=prior) for name, prior in zip(references, priors, strict=True)]
    for each in opened[1:]:
        if each.experiment.data.digest != opened[0].experiment.data.digest:
            a, b = opened[0], each
            raise UserError(
                f"{a.run.name} and {b.run.name} were trained on different images ({a.experiment.data.name}, "
                f"{b.experiment.data.name}); no number compares them"
            )
    out.print(f"measuring at N = {number:,} …", style="dim")
    real = real_images(load_data(opened[0].experiment))
    records = []
    for trained, prior in zip(opened, priors, strict=True):
        record = None if fresh else kept(trained.run, prior, count=number, seed=seed, step=trained.step)
        records.append(record or evaluate_run(trained, real, prior, count=number, seed=seed))
    return records, bounds(real, number)


def print_table(records: list[Record], bounds: tuple[Record, Record], out: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    first = records[0]["samples"]
    title = f"N = {first['count']:,} samples against the test images of {first['data']}; features: {first['extractor']}"
    table = Table(
        "run",
        "z from",
        "FID ↓",
        "classes",
        "evenness",
        "sharpness → 1",
        "C_T → 0",
        "training s",
        title=title,
        title_justify="left",
    )
    rows = [
        (r["run"], r["prior"].partition(" fitted")[0], r["samples"], f"{r['training_seconds']:.0f}")
        for r in records
    ]
    rows += [("floor: training images", "", bounds[0], ""), ("ceiling: noise", "", bounds[1], "")]
    for name, prior, sample, seconds in rows:
        table.add_row(*(Text(cell) for cell in (name, prior, *cells(sample), seconds)))
    out.print(table)
    out.print("FID in brackets: 95 % interval of drawing other samples from the same model", style="dim")


def cells(sample: Record) -> tuple[str, ...]:
    """FID with its interval, classes, evenness, sharpness and C_T, as they stand in a row."""
    fid, classes = sample["fid"], sample["classes"]
    missing = "unavailable" in classes
    return (
        f"{fid['value']:.1f} [{fid['low']:.1f}, {fid['high']:.1f}]",
        "–" if missing else f"{classes['covered']}/{classes['known']}",
        "–" if missing else f"{classes['evenness']:.3f}",
        f"{sample['sharpness']:.2f}",
        "–" if isinstance(sample["c_t"], dict) else f"{sample['c_t']:.1f}",
    )


def print_likelihoods(records: list[Record], out: Console) -> None:
    for record in records:
        found = record["likelihood"]
        if "unavailable" in found:
            out.print(f"{record['run']}: no ELBO: {found['unavailable']}", style="dim")
        else:
            out.print(
                f"{record['run']}: test ELBO {found['elbo']:.2f} nats (reconstruction {found['reconstruction']:.2f}, "
                f"KL {found['kl']:.2f}; {found['measure']}), reconstruction MSE {found['mean_squared_error']:.5f}"
            )
