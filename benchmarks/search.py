"""The search behind the recipes: each choice tried beside its neighbours, under the same clock.

    genlab bench search                                     every study: hours; resumes
    genlab bench search --studies gan-rate gan-depth --json benchmarks/results/search.json
    genlab bench search --list                              what is tried, nothing trained
    genlab bench search --json benchmarks/results/search.json --page docs/recipes.md
                                                            its tables anew, nothing trained

Every arm is the default recipe with the settings it names, trained for the study's seconds. It is scored
as `genlab bench quality` scores, but on 10 000 images held out of the training set, and by another seed, so
that nothing is chosen by the images that the results are reported on. What stands in the JSON is not trained
again. Run it alone on the machine: it is a race against the clock.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from genlab import beforehand

beforehand.prepare()

from in_markdown import places  # noqa: E402  (after what must stand before torch)
from under_the_clock.arms import Task, scored  # noqa: E402
from under_the_clock.scales import said, scales  # noqa: E402
from under_the_clock.studies import STUDIES, Study, Trial  # noqa: E402
from under_the_clock.variants import standing  # noqa: E402

from genlab.data.choosing import at_most  # noqa: E402
from genlab.data.dataset import Dataset  # noqa: E402
from genlab.data.source import load  # noqa: E402
from genlab.errors import UserError  # noqa: E402
from genlab.recipes import recipe  # noqa: E402
from genlab.runs.files import read_json, write_json  # noqa: E402
from genlab.training.fit import Diverged  # noqa: E402

VALIDATION = 1 / 6  # of MNIST's 60 000
SEED = 1000  # results are reported on small seeds
DIVERGED = "diverged"


def identity(study: Study, trial: Trial, chosen: argparse.Namespace, seed: int) -> str:
    """Of a training: two studies that try the same thing train it once. A field that is as by default is not
    told, so that one which comes later changes nothing."""
    family = "gan" if study.arm.startswith("gan") else "vae"
    configs = [recipe(family, *study.settings(trial))]
    configs += [recipe("vae")] if "-from-" in study.arm else []
    told = [study.arm, study.seconds, study.data or chosen.data, seed, trial.share]
    told += [study.limit] if study.limit else []
    told += [trial.variant] if trial.variant else []
    told += [config.model_dump(mode="json", exclude_defaults=True) for config in configs]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def run(name: str, chosen: argparse.Namespace, rows: list[dict[str, Any]]) -> None:
    """Train what is missing of a study, adding to `rows` and to the JSON as it goes."""
    study = STUDIES[name]
    data = study.data or chosen.data
    for seed in seeds(study, chosen):
        dataset = load(data, seed=seed, validation=VALIDATION)
        assert dataset.validation is not None
        measured_on = scales(dataset, dataset.validation, None if study.data else chosen.classifier)
        images = to_train_on(dataset, study.limit, seed)
        for trial in study.trials:
            key = identity(study, trial, chosen, seed)
            if any(row["identity"] == key for row in rows):
                continue
            settings = (f"data.validation={VALIDATION}", *study.settings(trial))
            task = Task(data, images, study.seconds, seed, settings, trial.share)
            try:
                with standing(trial.variant):
                    new = scored(study.arm, task, measured_on)
            except Diverged as error:
                new = [
                    {
                        "arm": study.arm,
                        "model": DIVERGED,
                        "seed": seed,
                        "steps": error.step,
                        "seconds": 0.0,
                        "fid": {},
                    }
                ]
            rows += [row | {"identity": key, "settings": study.settings(trial)} for row in new]
            if chosen.json:
                chosen.json.parent.mkdir(parents=True, exist_ok=True)
                write_json(chosen.json, rows)
            for row in new:
                print(
                    f"{name}: {trial.name}: {row['model']}: {said(row['fid'])} "
                    f"({row['steps']} steps, {row['seconds']:.0f} s)", flush=True,
                )  # fmt: skip


def seeds(study: Study, chosen: argparse.Namespace) -> range:
    """Of its trainings: as many as are asked for, or as it wants itself."""
    return range(SEED, SEED + max(study.seeds, chosen.seeds))


def to_train_on(dataset: Dataset, limit: int, seed: int) -> Dataset:
    """`dataset` with so many of its images to train on, chosen by the seed; with all where `limit` is 0."""
    if not limit:
        return dataset
    return replace(dataset, train=dataset.train.take(at_most(len(dataset.train), limit, seed, "train")))


def came_of(
    study: Study, trial: Trial, chosen: argparse.Namespace, rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The rows of a trial, of every seed and every way to sample."""
    identities = {identity(study, trial, chosen, seed) for seed in seeds(study, chosen)}
    return [row for row in rows if row["identity"] in identities]


def table(name: str, chosen: argparse.Namespace, rows: list[dict[str, Any]]) -> str:
    """Markdown: a row for each trial, a column for each way to sample and each scale; means over seeds."""
    study = STUDIES[name]
    lines: list[str] = []
    trained = {trial: came_of(study, trial, chosen, rows) for trial in study.trials}
    columns = list(
        dict.fromkeys(
            (row["model"].partition(", ")[2], scale)
            for mine in trained.values()
            for row in mine
            for scale in row["fid"]
        )
    )
    for trial, mine in trained.items():
        if not mine or not columns:
            continue
        if not lines:
            heads = [f"{scale}{', ' if how else ''}{how}" for how, scale in columns]
            lines += [
                f"| {study.seconds:g} s | steps | {' | '.join(heads)} |",
                "|---" * (2 + len(heads)) + "|",
            ]
        cells = [f"{statistics.mean(row['steps'] for row in mine):.0f}"]
        for how, scale in columns:
            values = [
                row["fid"][scale] for row in mine if row["fid"] and row["model"].partition(", ")[2] == how
            ]
            cells.append(f"{statistics.mean(values):.1f}" if values else DIVERGED)
        lines.append(f"| {trial.name} | {' | '.join(cells)} |")
    return "\n".join((f"\n**{name}**: {study.question}\n", *lines))


def documented(page: str, chosen: argparse.Namespace, rows: list[dict[str, Any]]) -> str:
    """`page` with the table of each study that it has a place for."""
    return places.documented(page, {name: partial(table, name, chosen, rows) for name in STUDIES})


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="genlab bench search", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--studies", nargs="+", choices=STUDIES, default=list(STUDIES), metavar="NAME",
                        help=f"of {', '.join(STUDIES)}")  # fmt: skip
    parser.add_argument("--seeds", type=int, default=1, help=f"so many, from {SEED} on")
    parser.add_argument("--data", default="mnist", help="as `genlab train` names it")
    parser.add_argument("--classifier", type=Path, help="another classifier's weights, to score on it, too")
    parser.add_argument("--json", type=Path, help="where finished trainings are kept")
    parser.add_argument("--list", action="store_true", help="say what would be trained")
    parser.add_argument("--page", type=Path, help="a page of Markdown whose tables are written anew")
    chosen = parser.parse_args()
    if chosen.list:
        for name in chosen.studies:
            study = STUDIES[name]
            trainings = len(study.trials) * len(seeds(study, chosen))
            print(f"{name}: {study.question}  ({trainings} trainings of {study.seconds:g} s)")
            for trial in study.trials:
                print(f"    {trial.name:<36} {' '.join((*study.settings(trial), trial.variant))}")
        return
    rows = read_json(chosen.json) if chosen.json and chosen.json.exists() else []
    if chosen.page:
        chosen.page.write_text(documented(chosen.page.read_text("utf-8"), chosen, rows), "utf-8")
        return
    try:
        for study in chosen.studies:
            run(study, chosen, rows)
    except KeyboardInterrupt:
        print("stopped: what was finished stays in the JSON, and the same command goes on from there")
        raise SystemExit(130) from None
    except UserError as error:
        parser.exit(2, f"genlab bench search: {error}\n")
    finally:
        for study in chosen.studies:
            print(table(study, chosen, rows))


if __name__ == "__main__":
    main()
