"""`genlab lesson`: the course's questions, answered by measurement."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genlab.cli.root import JSON, app, print_json
from genlab.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from genlab.lessons.lesson import Lesson, Scale
    from genlab.lessons.record import Record
    from genlab.lessons.running import Running

NAME = Annotated[str | None, typer.Argument(metavar="[NAME]", show_default=False, help="The lesson, by its own name or the course's (q1); without one they are listed.")]  # fmt: skip


@app.command(
    epilog="Examples: [bold]genlab lesson q1 --quick[/]   [bold]genlab lesson q1 --predict orders=3[/]   "
    "[bold]genlab lesson q1 --export report[/]"
)
def lesson(
    name: NAME = None,
    quick: Annotated[bool, typer.Option("--quick", help="At most 2 minutes on 2 cores; says what it can't resolve.")] = False,
    full: Annotated[bool, typer.Option("--full", help="For a night, or many cores: more seeds, more arms.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="The first of its seeds.")] = 0,
    data: Annotated[str, typer.Option(help="A data set of `genlab data`, a folder of images or an .npz.")] = "mnist",
    predict: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Say beforehand what will come out.", show_default=False)] = None,
    reflect: Annotated[list[str] | None, typer.Option(metavar="N=TEXT", help="Answer the lesson's Nth open question.", show_default=False)] = None,
    engine: Annotated[str, typer.Option(help="local, or ray for a cluster (RAY_ADDRESS).")] = "local",
    workers: Annotated[int | None, typer.Option(min=1, max=1024, help="Processes at a time; one for each core if left out.")] = None,
    export: Annotated[Path | None, typer.Option(help="Write the lab report to this folder: HTML, Markdown and a notebook.")] = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="Show the run that comes with genlab instead of running.")] = False,
    as_json: JSON = False,
) -> None:  # fmt: skip
    """A question of the course as an experiment: predict, run, see the evidence, read the verdicts, reflect."""
    if name is None:
        return catalogue(as_json)
    from genlab.cli.progress import console as make_console
    from genlab.lessons.catalogue import lesson_called
    from genlab.lessons.lesson import Setting
    from genlab.lessons.record import shipped as shipped_record
    from genlab.lessons.running import prepared

    if quick and full:
        raise UserError("--quick and --full are two sizes of one lesson: give one of them, or neither")
    console = make_console()
    chosen = lesson_called(name)
    scale: Scale = "quick" if quick else "full" if full else "default"
    setting = Setting(scale, seed, data)
    said = answers(chosen, predict or [], reflect or [])
    if shipped:
        record = shipped_record(chosen.name)
        if record is None:
            raise UserError(
                f"no run of {chosen.name} comes with this genlab: run it, genlab lesson {name} --quick"
            )
    else:
        record = run(prepared(chosen, setting, workers=workers), engine, console)
    record = spoken(record, *said, keep=not shipped)
    if as_json:
        print_json(record.as_json())
    else:
        show(chosen, record, console)
    if export is not None:
        page = write_report(chosen, record, export, shipped=shipped)
        console.print(f"\n[bold]report:[/] {page.resolve()}", soft_wrap=True)


def catalogue(as_json: bool) -> None:
    from genlab.lessons.catalogue import QUESTIONS, lesson_called, names
    from genlab.lessons.record import shipped

    lessons = [lesson_called(name) for name in names()]
    if as_json:
        keys = ("name", "aliases", "title", "question")
        print_json([{key: getattr(each, key) for key in keys} for each in lessons])
        return
    width = max(len(each.name) for each in lessons)
    for each in lessons:
        typer.echo(
            f"{each.name:<{width}}  {', '.join(QUESTIONS[each.name.replace('-', '_')]):<8}{each.title}"
        )
        typer.echo(f"{'':<{width}}          {each.question}")
        if record := shipped(each.name):
            typer.echo(
                f"{'':<{width}}          a run comes with genlab: {record.created[:10]}, --shipped shows it"
            )
    typer.echo("\ngenlab lesson NAME --quick runs one in at most 2 minutes.")


def answers(
    chosen: Lesson, predict: list[str], reflect: list[str]
) -> tuple[dict[str, str | float], dict[str, str]]:
    """What the reader says, checked before anything is run. Raises UserError."""
    from genlab.lessons.record import LONGEST, checked

    known = {each.key: each for each in chosen.predictions}
    predictions: dict[str, str | float] = {}
    for text in predict:
        key, equals, value = text.partition("=")
        if not equals or key not in known:
            raise UserError(
                f"--predict {text!r}: {chosen.name} asks for {', '.join(f'{k}=…' for k in known)}"
            )
        predictions[key] = checked(known[key], value)
    reflections: dict[str, str] = {}
    for text in reflect:
        number, equals, value = text.partition("=")
        if not equals or number not in map(str, range(1, len(chosen.reflections) + 1)):
            raise UserError(
                f"--reflect {text[:40]!r}: give the question's number, as in --reflect '1=Because …'"
            )
        if len(value) > LONGEST:
            raise UserError(f"an answer has at most {LONGEST:,} characters, and this one {len(value):,}")
        reflections[number] = value
    return predictions, reflections


def run(running: Running, engine: str, console: Console) -> Record:
    """What is missing, with the time that is left; Ctrl-C keeps what is finished."""
    from genlab.lessons.engines.news import Done

    total, left = len({task.key for task in running.tasks.values()}), len(running.missing)
    if left:
        already = f", {total - left} of {total} are there already" if left < total else ""
        console.print(
            f"[bold]{running.lesson.title}[/]  {running.setting.scale}, seeds from {running.setting.seed}: {left} tasks{already}; "
            f"about {running.seconds:.0f} s on {min(running.workers, left)} workers. Ctrl-C stops, and the same command goes on.",
            soft_wrap=True,
        )
        if running.setting.scale == "quick" and running.lesson.unresolved:
            console.print(f"[dim]--quick is for a first look. {running.lesson.unresolved}[/]", soft_wrap=True)
    course, began = running.course(), time.monotonic()
    try:
        with bar(console) as progress:
            line = progress.add_task("", total=1.0)
            for news in running.work(engine):
                course.hear(news)
                name = news.task.name if not isinstance(news, Done) else f"{news.task.name}: done"
                progress.update(
                    line, completed=course.share, description=f"{course.left:4.0f} s left  {name[:60]}"
                )
    except KeyboardInterrupt:
        console.print(
            f"stopped at {course.share:.0%}; what is finished is kept, and the same command goes on from there"
        )
        raise SystemExit(130) from None
    return running.conclude(time.monotonic() - began)


def bar(console: Console):  # type: ignore[no-untyped-def]
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    return Progress(
        BarColumn(bar_width=28), TaskProgressColumn(), TextColumn("{task.description}", markup=False),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip


def spoken(
    record: Record, predictions: dict[str, str | float], reflections: dict[str, str], *, keep: bool
) -> Record:
    from dataclasses import replace

    from genlab.lessons.record import keep as keep_record

    if not predictions and not reflections:
        return record
    record = replace(
        record,
        predictions={**record.predictions, **predictions},
        reflections={**record.reflections, **reflections},
    )
    if keep:
        keep_record(record)
    return record


def show(chosen: Lesson, record: Record, console: Console) -> None:
    """The tables, the predictions beside what came out, and the verdicts."""
    from rich.table import Table
    from rich.text import Text

    from genlab.lessons.record import verdicts
    from genlab.lessons.writing.document import MARKS, predicted

    for each in chosen.evidence(record.findings).tables:
        grid = Table(title=Text(each.title), title_justify="left", box=None, padding=(0, 2, 0, 0))
        for column in each.head:
            grid.add_column(Text(column))
        for row in each.rows:
            grid.add_row(*map(Text, row))
        console.print(grid, Text(each.note, style="dim"), "")
    if record.predictions:
        for question, said, measured in predicted(chosen, record).rows:
            console.print(Text(f"{question}  predicted {said}, measured {measured}"))
        console.print()
    colours = {"supported": "green", "contradicted": "red", "not resolved": "yellow"}
    for claim, verdict in verdicts(chosen, record.findings):
        console.print(Text(f"{MARKS[verdict.state]} {claim.sentence}", style="bold"), soft_wrap=True)
        console.print(Text(f"  {verdict.text(claim)}", style=colours[verdict.state]), soft_wrap=True)
        console.print(Text(f"  borne out by {claim.rule}", style="dim"), soft_wrap=True)
    asked = [
        each for number, each in enumerate(chosen.reflections, 1) if str(number) not in record.reflections
    ]
    if asked:
        console.print(
            f"\n[dim]To think about: {asked[0]}  (--reflect '1=…'; --export FOLDER makes the report)[/]",
            soft_wrap=True,
        )


def write_report(chosen: Lesson, record: Record, folder: Path, *, shipped: bool) -> Path:
    from genlab.lessons.writing.export import export

    return export(chosen, record, folder, shipped=shipped)
