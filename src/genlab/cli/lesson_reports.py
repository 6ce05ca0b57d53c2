"""A class's reports: pooled into one interval, or one of them run again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from genlab.cli.root import print_json
from genlab.errors import UserError

if TYPE_CHECKING:
    from genlab.lessons.lesson import Lesson


def collect(chosen: Lesson, paths: list[Path], workers: int | None, as_json: bool) -> None:
    """A claim at a time: each report's mean, and all seeds together."""
    from rich.text import Text

    from genlab.cli.lesson_run import COLOURS, console
    from genlab.lessons.reports import pool, read_report
    from genlab.lessons.writing.document import MARKS

    found, left_out = pool(chosen, [(path.name, read_report(path)) for path in paths])
    if as_json:
        print_json(
            [{"claim": each.claim.key, "each": dict(each.each), **vars(each.verdict)} for each in found]
        )
        return
    said = console()
    said.print(f"{len(paths) - len(left_out)} reports of {chosen.title}", markup=False)
    if left_out:
        said.print(f"left out, for others have their seeds: {', '.join(left_out)}", style="dim", markup=False)
    for each in found:
        verdict = each.verdict
        said.print(Text(f"\n{MARKS[verdict.state]} {each.claim.sentence}", style="bold"), soft_wrap=True)
        said.print(Text(f"  {verdict.text(each.claim)}", style=COLOURS[verdict.state]), soft_wrap=True)
        for name, values in each.each:
            shown = ", ".join(f"{value:.{each.claim.digits}f}" for value in values) or "nothing"
            said.print(Text(f"    {name:<32} {shown}", style="dim"), soft_wrap=True)


def verify(chosen: Lesson, paths: list[Path], workers: int | None, as_json: bool) -> None:
    """Run the one report again, and nothing of it from the shelf; exit code 1 where a claim does not hold."""
    import hashlib
    import json
    import shutil

    from rich.text import Text

    from genlab.cli.lesson_run import console, run
    from genlab.lessons.reports import differences, held, largest, read_report
    from genlab.lessons.tasks import Shelf
    from genlab.runs.store import runs_root

    if len(paths) != 1:
        raise UserError("--verify runs one report again: name a single one")
    then = read_report(paths[0])
    if then.lesson != chosen.name:
        raise UserError(f"{paths[0]} is a report of {then.lesson}, not of {chosen.name}")
    key = hashlib.sha256(json.dumps(then.findings, sort_keys=True).encode()).hexdigest()[:16]
    apart = runs_root() / "lessons" / "verifying" / key  # so that a run that was stopped goes on
    now = run(chosen, then.setting, workers, "local", Shelf(apart))
    shutil.rmtree(apart, ignore_errors=True)
    moved = list(differences(then.findings, now.findings))
    claims = held(chosen, then.findings, now.findings)
    if as_json:
        print_json(
            {
                "same": not moved,
                "differences": len(moved),
                "holds": {each.claim.key: each.agrees for each in claims},
            }
        )
    else:
        said = console()
        same = "every number is the same, to the bit" if not moved else (
            f"{len(moved)} numbers differ, by {largest(moved):.2g} of themselves at most; measured then on "
            f"{', '.join(map(str, then.machine.values()))}"
        )  # fmt: skip
        said.print(same, markup=False, soft_wrap=True)
        for each in claims:
            mark = "✓ reproduced" if each.agrees else "✗ not reproduced"
            said.print(Text(f"{mark}: {each.claim.sentence}", style="bold"), soft_wrap=True)
            said.print(
                Text(f"  then {each.then.text(each.claim)}; now {each.now.text(each.claim)}"), soft_wrap=True
            )
    raise SystemExit(0 if all(each.agrees for each in claims) else 1)
