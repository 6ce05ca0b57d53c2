"""A run and its measurements: `report.json` keeps them, and what is kept is not measured twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genlab.data.dataset import Dataset
from genlab.data.fetch import cache_folder
from genlab.errors import UserError
from genlab.evaluation.closest import closest_pairs
from genlab.evaluation.evaluate import VERSION, evaluate
from genlab.evaluation.feature_networks import extractor_for
from genlab.evaluation.references import References, references_for
from genlab.evaluation.trained_features import Progress as Learning
from genlab.evaluation.yardstick import STANDARD_COUNT, Progress, ceiling, floor, plain
from genlab.experiment import schema
from genlab.experiment.build import build_objective
from genlab.experiment.runner import load_data
from genlab.experiment.trained import Trained, open_reference, save_images
from genlab.runs.files import read_json, write_json
from genlab.runs.store import Run

Record = dict[str, Any]
CLOSEST_OF = 1000  # samples, of which the 32 nearest to a training image are shown beside it
IRRELEVANT = (
    "seed", "device", "threads", "compile",
    "log_every", "sample_every", "checkpoint_every", "validate_every",
)  # fmt: skip


def references(dataset: Dataset, features: str = "own", learning: Learning | None = None) -> References:
    """The real images as the data's own feature network (or another kind, see `extractor_for`) sees them,
    kept in the user's cache. `learning(step, steps, loss)` is called while a classifier is trained."""
    folder = cache_folder()
    extractor = extractor_for(dataset, kind=features, folder=folder / "features", progress=learning)
    return references_for(dataset, extractor, folder / "references")


def evaluate_run(
    trained: Trained,
    real: References,
    *,
    count: int = STANDARD_COUNT,
    seed: int = 0,
    full: bool = False,
    progress: Progress | None = None,
) -> Record:
    """Measure an opened run and keep the result in its report."""
    experiment, run = trained.experiment, trained.run
    found = evaluate(
        trained.model, real, count=count, seed=seed, full=full, progress=progress,
        binarise=experiment.data.binarise, training_seconds=run.status()["seconds"],
        images_seen=images_seen(trained),
    )  # fmt: skip
    record = {
        "run": run.name,
        "family": experiment.family,
        "step": trained.step,
        "training_seed": experiment.training.seed,
        "config": repetition(experiment),
        **found.as_json(),
    }
    record["details"]["nearest"] = show_closest(trained, real, seed)
    keep(run, key(record), record)
    return record


def show_closest(trained: Trained, real: References, seed: int) -> str:
    """Draw samples beside the training images nearest to them; where the picture lies within the run."""
    pairs, _ = closest_pairs(trained.sample(CLOSEST_OF, seed).images, real)
    name = f"generated/nearest-{'own' if trained.model.prior.name == 'N(0, I)' else 'fitted'}.png"
    save_images(pairs, trained.run.made / name, columns=8)
    return name


def images_seen(trained: Trained) -> int:
    """Real images that training looked at up to the model's step."""
    experiment = trained.experiment
    batches = build_objective(experiment.objective).batches_per_step
    return trained.step * experiment.training.batch_size * batches


def repetition(experiment: schema.Experiment) -> str:
    """16 digits that two runs share if they differ in nothing but their seed: repetitions of one experiment.

    A run that starts from another one counts with that one's own digits; a budget of seconds counts as such,
    whatever number of steps the machine made of it."""
    config = experiment.model_dump(mode="json")
    training = {name: value for name, value in config["training"].items() if name not in IRRELEVANT}
    if training["seconds"] is not None:
        training.pop("steps")
    if training["precision"] == "fp32":  # as all runs were before there was a choice
        training.pop("precision")
    config["training"] = training
    config["network"]["discriminator"] = without(config["network"]["discriminator"], "weights", "drawn")
    config["objective"] = without(config["objective"], "discriminator_warmup", 0)
    config["objective"] = without(config["objective"], "augment", "none")
    if experiment.start is not None:
        config["start"] = source_of(experiment.start)
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]


def without(section: Mapping[str, Any], name: str, usual: Any) -> Mapping[str, Any]:
    """`section` as it was written before there was a choice of `name`, where that is as all runs had it."""
    return {key: value for key, value in section.items() if key != name or value != usual}


def source_of(start: str) -> str:
    """The repetition of the run that another one starts from; its name where it is gone."""
    try:
        return repetition(schema.parse(Run(Path(start)).config()))
    except UserError:
        return Path(start).name


def key(record: Record) -> str:
    """Where a record stands in its run's report."""
    protocol = record["protocol"]
    level = "full" if protocol["full"] else "standard"
    return f"{record['prior']}/{record['step']}/{protocol['count']}/{protocol['seed']}/{level}"


def keep(run: Run, name: str, record: Record) -> None:
    kept = read_json(run.report) if run.report.exists() else {}
    write_json(run.made / "report.json", {**kept, name: record})


def kept(trained: Trained, real: References, *, count: int, seed: int, full: bool) -> Record | None:
    """The measurement that the run's report holds for this prior, step and protocol, if any."""
    path = trained.run.report
    reports = read_json(path) if path.exists() else {}
    for record in reports.values() if isinstance(reports, dict) else ():
        if not isinstance(record, dict) or record.get("version") != VERSION:
            continue
        said = record["protocol"]
        same = (record["prior"], record["step"]) == (trained.model.prior.name, trained.step)
        asked = (said["count"], said["seed"], said["full"]) == (count, seed, full)
        if same and asked and said["networks"] == real.networks and said["data"] == real.data:
            return record
    return None


def bounds(real: References, count: int = STANDARD_COUNT, *, full: bool = False) -> tuple[Record, Record]:
    """The floor (training images) and the ceiling (noise) that every table stands between, kept in the user's
    cache."""
    count = min(count, len(real.dataset.train))
    path = bounds_file(real.dataset.digest(), real.networks, str(count), full)
    if there := read_bounds(path):
        return there
    made = [
        reference_record("floor: training images", floor(real, count, full=full), real, count, full),
        reference_record("ceiling: noise", ceiling(real, count, full=full), real, count, full),
    ]
    write_json(path, made)
    return made[0], made[1]


def bounds_file(digest: str, networks: Mapping[str, str], count: str, full: bool) -> Path:
    """Where the bounds of one measurement are kept; `count` may be "*"."""
    level = "full" if full else "standard"
    name = f"bounds-{digest}-{'-'.join(networks.values())}-{count}-{level}-{VERSION}.json"
    return cache_folder() / "references" / name


def read_bounds(path: Path) -> tuple[Record, Record] | None:
    """None where there are none, or a torn or foreign file: it is only a cache."""
    try:
        lower, upper = read_json(path)
        return lower, upper
    except (UserError, ValueError, TypeError):
        return None


def kept_bounds(record: Record) -> tuple[Record, Record] | None:
    """The floor and the ceiling that belong to a record and lie in the cache, of as many samples or, for want
    of training images, of fewer."""
    said = record["protocol"]
    digest = str(said["data"]).rpartition("-")[2]
    anywhere = bounds_file(digest, said["networks"], "*", said["full"])
    found = [read_bounds(path) for path in anywhere.parent.glob(anywhere.name)]
    fitting = [each for each in found if each and each[0]["protocol"]["count"] <= said["count"]]
    return max(fitting, key=lambda each: int(each[0]["protocol"]["count"]), default=None)


def reference_record(name: str, values: Any, real: References, count: int, full: bool) -> Record:
    protocol = {
        "data": real.data, "count": count, "references": real.count, "seed": 0, "full": full,
        "networks": real.networks, "likelihood": None,
    }  # fmt: skip
    return {
        "version": VERSION, "run": name, "family": "reference", "prior": "", "step": 0, "training_seed": None,
        "config": name, "protocol": protocol, "values": plain(values), "details": {}, "cost": None,
    }  # fmt: skip


def records(
    names: list[str],
    *,
    count: int = STANDARD_COUNT,
    seed: int = 0,
    full: bool = False,
    features: str = "own",
    fresh: bool = False,
    progress: Progress | None = None,
) -> tuple[list[Record], Record, Record]:
    """The records of runs on one data set ("RUN", "RUN:fitted", "RUN@best"), measured where they are not kept
    yet or where `fresh`, and the floor and the ceiling. Raises UserError where the runs' data differ."""
    real: References | None = None
    found: list[Record] = []
    first: Trained | None = None
    for name in names:
        trained = open_reference(name)
        if first is None or real is None:
            first, real = trained, references(load_data(trained.experiment), features)
        elif trained.experiment.data.digest != first.experiment.data.digest:
            raise UserError(
                f"{first.run.name} and {trained.run.name} were trained on different images "
                f"({first.experiment.data.name}, {trained.experiment.data.name}); no number compares them"
            )
        record = None if fresh else kept(trained, real, count=count, seed=seed, full=full)
        found.append(
            record or evaluate_run(trained, real, count=count, seed=seed, full=full, progress=progress)
        )
    assert real is not None, "no run was named"
    return found, *bounds(real, count, full=full)
