"""`genlab demo`, as it shows itself in a terminal."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from genlab.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from genlab.lessons.demo import Demo, Stage


def run_demo(*, quick: bool, seed: int, out: Path | None) -> None:
    """Every stage in order, with the time that is left; then the report and its table."""
    from genlab.cli.progress import console as make_console

    console = make_console()
    console.print("[bold]genlab demo[/]  loading PyTorch …")
    from genlab.data.source import ahead

    ahead("mnist")
    from genlab.lessons.demo import FULL, QUICK, Demo

    folder = out or demo_folder()
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder} exists and is not empty; name another folder with --out")
    plan = QUICK if quick else FULL
    command = f"./lab demo{' --quick' if quick else ''}{f' --seed {seed}' if seed else ''}"
    demo = Demo(folder, plan, seed, command)
    stages = list(demo.stages())
    for number, stage in enumerate(stages, 1):
        left = sum(each.seconds for each in stages[number - 1 :])
        console.print(
            f"\n[bold cyan]{number}/{len(stages)}  {stage.title}[/]  [dim]about {left:.0f} s left in all[/]"
        )
        if not perform(stage, console):
            console.print(f"stopped; what was trained is in {folder}. `./lab demo` starts anew.")
            raise SystemExit(130)
    conclude(demo, console)


def demo_folder() -> Path:
    from genlab.runs.store import runs_root

    return runs_root() / time.strftime("demo-%Y%m%d-%H%M%S")


def perform(stage: Stage, console: Console) -> bool:
    """Work through one stage. False where a training was stopped."""
    from genlab.cli.progress import follow
    from genlab.cli.train import describe, print_receipt
    from genlab.runs.events import Adopted, Finished

    run = stage.begin()
    if run is None:
        began = time.perf_counter()
        with console.status("working …"):
            list(stage.work())
        console.print(f"done in {time.perf_counter() - began:.1f} s", style="dim")
        return True
    describe(run, console)
    for event in follow(run, stage.work(), console, run.name):
        if isinstance(event, Adopted):
            print_receipt(event.receipt, console)
        elif isinstance(event, Finished) and event.reason != "completed":
            return False
    return True


def conclude(demo: Demo, console: Console) -> None:
    from genlab.cli.tables import print_comparison
    from genlab.evaluation.compare import compare
    from genlab.lessons.comparison.keys import default_keys
    from genlab.lessons.demo_report import report_of
    from genlab.lessons.report.write import write_report
    from genlab.runs.packing import quoted

    page = write_report(demo.folder, report_of(demo))
    records = [{**entry.record, "run": entry.label} for entry in demo.models]
    console.print()
    print_comparison(
        compare(records, demo.floor, demo.ceiling, default_keys(records, everything=False)), console
    )
    trick(demo, console)
    console.print(f"\n[bold]report:[/] {page.resolve()}")
    console.print(
        f"[dim]{demo.wall_seconds:.0f} s in all. Open the report in a browser; the runs stand beside it, "
        "and this opens the app on them:[/]"
    )
    console.print(f"  ./lab app --runs {quoted(str(demo.folder))}", highlight=False, soft_wrap=True)


def trick(demo: Demo, console: Console) -> None:
    """The course's question, answered in one line per point."""
    by_point: dict[tuple[int, float], dict[str, float]] = {}
    for point in demo.estimators:
        by_point.setdefault((point.dimensions, point.mu), {})[point.estimator] = point.variance
    (dimensions, mu), worst = max(
        by_point.items(), key=lambda pair: pair[1]["score function"] / pair[1]["pathwise"]
    )
    ratio = worst["score function"] / worst["pathwise"]
    console.print(
        f"why the reparameterization trick? Without it the gradient of E‖z‖² was {ratio:,.0f} times noisier "
        f"(variance as measured, D = {dimensions}, μ = {mu:g}): see the report."
    )
