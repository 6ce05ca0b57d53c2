"""`genlab lesson`: the course's questions, answered by measurement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genlab.cli.root import JSON, app, print_json
from genlab.errors import UserError

if TYPE_CHECKING:
    from genlab.lessons.lesson import Lesson, Setting

NAME = Annotated[str | None, typer.Argument(metavar="[NAME]", show_default=False, help="The lesson, by its own name or the course's (q1); without one they are listed.")]  # fmt: skip


@app.command(
    epilog="Examples: [bold]genlab lesson q1 --quick[/]   [bold]genlab lesson q1 --predict orders=3[/]   "
    "[bold]genlab lesson q1 --export report[/]   [bold]genlab lesson q1 --collect handed-in/*.html[/]"
)
def lesson(
    name: NAME = None,
    reports: Annotated[list[Path] | None, typer.Argument(metavar="[REPORTS]...", show_default=False, help="Exported reports, for --collect and --verify.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="At most 2 minutes on 2 cores; says what it can't resolve.")] = False,
    full: Annotated[bool, typer.Option("--full", help="For a night, or many cores: more seeds, more arms.")] = False,
    seed: Annotated[int | None, typer.Option(min=0, max=2**31 - 1, help="The first of its seeds.", show_default="0")] = None,
    data: Annotated[str | None, typer.Option(help="A data set of `genlab data`, a folder of images or an .npz.", show_default="mnist")] = None,
    classroom: Annotated[Path | None, typer.Option("--class", metavar="FILE", help="A teacher's settings: seed, data, size.")] = None,
    predict: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Say beforehand what will come out.", show_default=False)] = None,
    reflect: Annotated[list[str] | None, typer.Option(metavar="N=TEXT", help="Answer the lesson's Nth open question.", show_default=False)] = None,
    engine: Annotated[str, typer.Option(help="local, or ray for a cluster (RAY_ADDRESS).")] = "local",
    workers: Annotated[int | None, typer.Option(min=1, max=1024, help="Processes at a time; one for each core if left out.", show_default=False)] = None,
    export: Annotated[Path | None, typer.Option(help="Write the lab report to this folder: HTML, Markdown and a notebook.")] = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="Show the run that comes with genlab instead of running.")] = False,
    collect: Annotated[bool, typer.Option("--collect", help="Pool a class's REPORTS, each with its own seed, into one interval.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Run a report again from its seeds and say whether it holds.")] = False,
    claims: Annotated[bool, typer.Option("--claims", help="List what the course says, with what in it can be tested and the verdicts.")] = False,
    as_json: JSON = False,
) -> None:  # fmt: skip
    """A question of the course as an experiment: predict, run, see the evidence, read the verdicts, reflect."""
    if claims:
        return course(as_json)
    if name is None:
        return catalogue(as_json)
    from genlab.cli import lesson_reports, lesson_run
    from genlab.lessons.catalogue import lesson_called
    from genlab.lessons.record import say

    chosen = lesson_called(name)
    if collect or verify:
        if collect == verify or not reports:
            raise UserError(
                "--collect pools reports and --verify runs one again: give one of the two, and name the reports"
            )
        done = lesson_reports.collect if collect else lesson_reports.verify
        return done(chosen, reports, workers, as_json)
    if reports:
        raise UserError(f"{reports[0]} is not asked for: reports are named with --collect or --verify")
    setting = asked(quick, full, seed, data, classroom)
    record = lesson_run.came_with(chosen) if shipped else None
    for kind, words in answers(chosen, predict or [], reflect or []).items():
        for key, value in words.items():
            say(chosen.name, record.setting if record else setting, kind, key, value)
    record = lesson_run.came_with(chosen) if shipped else lesson_run.run(chosen, setting, workers, engine)
    if as_json:
        print_json(record.as_json())
    else:
        lesson_run.show(chosen, record)
    if export is not None:
        from genlab.lessons.writing.export import export as write_report

        page = write_report(chosen, record, export, shipped=shipped)
        typer.echo(f"\nreport: {page.resolve()}", err=as_json)


def catalogue(as_json: bool) -> None:
    from genlab.lessons.catalogue import lesson_called, names
    from genlab.lessons.record import shipped

    lessons = [lesson_called(name) for name in names()]
    if as_json:
        keys = ("name", "aliases", "title", "question")
        print_json([{key: getattr(each, key) for key in keys} for each in lessons])
        return
    width = max(len(each.name) for each in lessons)
    for each in lessons:
        typer.echo(f"{each.name:<{width}}  {', '.join(each.aliases):<10}{each.title}")
        typer.echo(f"{'':<{width}}            {each.question}")
        if record := shipped(each.name):
            typer.echo(
                f"{'':<{width}}            a run of {record.created[:10]} comes with genlab: --shipped shows it"
            )
    typer.echo("\ngenlab lesson NAME --quick runs one in at most 2 minutes.")


def course(as_json: bool) -> None:
    """The table of claims, by the runs that come with genlab."""
    from genlab.lessons.catalogue import names
    from genlab.lessons.course import table
    from genlab.lessons.record import shipped

    rows = list(table({name: record for name in names() if (record := shipped(name)) is not None}))
    said = [(row, row.verdict.text(row.claim) if row.verdict else "not run yet") for row in rows]
    if as_json:
        print_json(
            [
                {
                    "part": row.sentence.part,
                    "says": row.sentence.says,
                    "lesson": row.lesson.name,
                    "claim": row.claim.sentence,
                    "rule": row.claim.rule,
                    "verdict": verdict,
                }
                for row, verdict in said
            ]
        )
        return
    last = None
    for row, verdict in said:
        if row.sentence is not last:
            typer.echo(f"\n{row.sentence.part}  {row.sentence.says}")
            last = row.sentence
        typer.echo(f"    {row.claim.sentence}\n        {verdict}  (genlab lesson {row.lesson.name})")


def asked(quick: bool, full: bool, seed: int | None, data: str | None, classroom: Path | None) -> Setting:
    """What the options say, over what the class's file says. Raises UserError."""
    from genlab.lessons.classroom import read_classroom
    from genlab.lessons.lesson import Setting

    if quick and full:
        raise UserError("--quick and --full are two sizes of one lesson: give one of them, or neither")
    start = read_classroom(classroom).setting if classroom else Setting()
    scale = "quick" if quick else "full" if full else start.scale
    return Setting(scale, start.seed if seed is None else seed, start.data if data is None else data)


def answers(chosen: Lesson, predict: list[str], reflect: list[str]) -> dict[str, dict[str, str | float]]:
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
    reflections: dict[str, str | float] = {}
    for text in reflect:
        number, equals, value = text.partition("=")
        if not equals or number not in map(str, range(1, len(chosen.reflections) + 1)):
            raise UserError(
                f"--reflect {text[:40]!r}: give the question's number, as in --reflect '1=Because …'"
            )
        if len(value) > LONGEST:
            raise UserError(f"an answer has at most {LONGEST:,} characters, and this one {len(value):,}")
        reflections[number] = value
    return {"predictions": predictions, "reflections": reflections}
