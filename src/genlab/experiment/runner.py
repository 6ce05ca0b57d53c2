"""A run from its config to its last event. The worker: it alone writes the run folder."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from genlab.data.batches import Batches, to_float
from genlab.data.binarise import binarised
from genlab.data.dataset import Dataset
from genlab.data.source import load
from genlab.data.streaming import Streamed
from genlab.errors import UserError
from genlab.experiment import schema
from genlab.experiment.acceleration import accelerate
from genlab.experiment.build import begin_at_mean, build_model, build_objective, build_state
from genlab.experiment.handover import inherit, with_prior
from genlab.experiment.inheriting import begins_with_encoder
from genlab.experiment.process import machine as machine
from genlab.experiment.process import settle_here, stop_signals
from genlab.experiment.standing import prepare, settled
from genlab.experiment.trained import Trained, newest, open_run, read_prior
from genlab.experiment.validation import deciding, validator
from genlab.objectives.base import Objective
from genlab.randomness import generator
from genlab.ranks import first, leads, one_before_all
from genlab.runs.configs import digest
from genlab.runs.events import Event, Finished
from genlab.runs.files import write_json
from genlab.runs.store import Run, create_run, find_run
from genlab.training import checkpoint
from genlab.training.changes import Changes
from genlab.training.fit import Cadence, Diverged, Sheets, advance, fit
from genlab.training.orders import Orders, past_changes
from genlab.training.state import stand_together
from genlab.training.teaching import Lesson

CALIBRATION = (1.5, 10.0)  # s
SHEETS = 600  # of each content that a live run draws, at most: one a second for ten minutes, then fewer


def load_data(experiment: schema.Experiment) -> Dataset:
    """The data set of `experiment`. Raises UserError where it is not what the run was trained on."""
    data = experiment.data

    def loaded() -> Dataset:
        return load(
            data.name, size=data.size, channels=data.channels, fit=data.fit, limit=data.limit,
            seed=experiment.training.seed, validation=data.validation,
        )  # fmt: skip

    dataset = one_before_all(loaded)  # for it may have to be downloaded
    if data.digest is not None and dataset.digest() != data.digest:
        raise UserError(
            f"the images of {data.name!r} are not those the run was trained on; restore them or train anew"
        )
    return dataset


def begin(
    experiment: schema.Experiment,
    *,
    out: Path | None = None,
    dataset: Dataset | None = None,
    live: bool = False,
) -> Run:
    """A new run folder with a complete config: the data's shape and identity, and steps for seconds. A `live`
    one is for who watches: it logs twice a second and draws a sheet a second, `SHEETS` of them at most. Of
    several processes all begin it, and rank 0 makes the folder."""
    settle_here(experiment)
    experiment = first(lambda: inherited(experiment))
    dataset = dataset or load_data(experiment)
    check_window(experiment, dataset)
    data = experiment.data.model_copy(update={"shape": dataset.shape, "digest": dataset.digest()})
    experiment = experiment.model_copy(update={"data": data})
    if experiment.training.seconds is not None or live:
        training = timed(experiment.training, calibrate(experiment, dataset), live)
        experiment = experiment.model_copy(update={"training": training})
    label = f"{experiment.family}-{Path(experiment.data.name).stem}"
    config = experiment.model_dump(mode="json")
    return Run(first(lambda: create_run(label[:60], config, out).path))


def inherited(experiment: schema.Experiment) -> schema.Experiment:
    """`experiment` with what the run that it starts from decides, if it starts from one."""
    if experiment.start is None:
        if begins_with_encoder(experiment):
            raise UserError(
                "there is no encoder to begin the discriminator with: start from a VAE's run, or set "
                "network.discriminator.weights=drawn"
            )
        return experiment
    source = find_run(experiment.start)
    newest(source)  # says so before a folder is made, where the source was never trained
    past = schema.parse(source.config(), str(source.path / "config.json"))
    experiment = inherit(experiment, past, str(source.path.resolve()))
    if experiment.network.prior.kind != past.network.prior.kind:
        experiment = with_prior(experiment, read_prior(source), source.name)
    return experiment


def timed(training: schema.Training, step: float, live: bool) -> schema.Training:
    """`training` where a step takes `step` seconds: as many as fit in its `seconds`, if it has any, and for a
    `live` run what is logged and drawn."""
    steps = training.steps if training.seconds is None else max(1, round(training.seconds / step))
    chosen = {"steps": steps}
    if live:
        chosen["log_every"] = max(1, round(0.5 / step))
        chosen["sample_every"] = max(1, round(1 / step), -(-steps // SHEETS))
    return training.model_copy(update=chosen)


def calibrate(experiment: schema.Experiment, dataset: Dataset) -> float:
    """Seconds that a step takes on this machine, on the average of a trial whose state is thrown away."""
    longest = trial_seconds(experiment.training.seconds)
    experiment = settle_here(experiment)
    state = build_state(experiment, build_model(experiment, dataset.shape))
    accelerate(state, experiment.training)
    objective = build_objective(experiment.objective)
    batches = make_batches(experiment, dataset, objective)
    durations: list[float] = []
    began = time.perf_counter()
    while len(durations) < 4 or first(lambda: time.perf_counter() - began) < longest:
        before = state.seconds
        advance(state, objective, batches, 1_000_000, experiment.training.seed)
        durations.append(state.seconds - before)
    return first(lambda: statistics.fmean(durations[2:]))


def trial_seconds(budget: float | None) -> float:
    """How long to try a training of so many seconds before it begins: a hundredth of it, for a machine's pace
    drifts, but within `CALIBRATION`; and never more than a quarter."""
    least, most = CALIBRATION
    return least if budget is None else min(max(least, budget / 100), most, budget / 4)


def make_batches(experiment: schema.Experiment, dataset: Dataset, objective: Objective) -> Batches | Streamed:
    training, data, blocks = experiment.training, experiment.data, objective.batches_per_step
    size, binarise = training.batch_size * blocks, data.binarise == "dynamic"
    place = (dataset.train, size, training.seed, training.device)
    if dataset.streams:
        return Streamed(*place, binarise=binarise, blocks=blocks, window=data.window)
    return Batches(*place, binarise=binarise, blocks=blocks)


def check_window(experiment: schema.Experiment, dataset: Dataset) -> None:
    if experiment.data.window and not dataset.streams:
        raise UserError(
            f"the images of {experiment.data.name!r} are in memory and shuffled as a whole: set data.window "
            "to 0, which is for shards that stream"
        )


def known_tests(experiment: schema.Experiment, dataset: Dataset, count: int) -> torch.Tensor:
    """The first `count` test images as the run's model knows images, black and white where it was trained on
    such: (N, C, H, W) in [−1, 1]."""
    images = to_float(torch.from_numpy(dataset.test.pixels[:count]))
    if experiment.data.binarise == "none":
        return images
    return binarised(images, generator(experiment.training.seed, "data/binarise/test"))


def work(run: Run, *, dataset: Dataset | None = None) -> Iterator[Event]:
    """Train `run` from where it stands to its last step, writing each event before yielding it.

    The first Ctrl-C, a SIGTERM or a stop request ends it after the step at hand, with a checkpoint; other
    requests are answered between steps (`training.orders`). Several processes (`ranks.joined`) all train, and
    rank 0 alone reads and writes the run. Raises UserError (Diverged among them) after noting the failure in
    the run.
    """
    config = first(run.config)
    experiment = settle_here(schema.parse(config, str(run.path / "config.json")))
    if leads():
        run.claim()
        run.clear_requests()
    try:
        dataset = dataset or load_data(experiment)
        state = build_state(experiment, build_model(experiment, dataset.shape))
        state.config = digest(config)
        begin_at_mean(experiment, state, dataset)
        validate = validator(experiment, dataset) if leads() else None
        best = deciding(experiment, validate)
        if leads():
            yield from record(run, prepare(run, experiment, state))
            yield from record(run, settled(run, state, best))
        stand_together(state)
        accelerate(state, experiment.training)
        objective = build_objective(experiment.objective)
        batches = make_batches(experiment, dataset, objective)
        tests = known_tests(experiment, dataset, 64).to(experiment.training.device)
        sheets = Sheets(state.model, tests, experiment.training.seed)
        past = first(lambda: past_changes(run, experiment.family))
        changes = Changes(past, own_rate=experiment.optimizer.discriminator_rate is not None)
        with stop_signals() as stopped:
            orders = Orders(run, experiment.family, state, changes, stopped)
            folder = run.path if leads() else None
            events = fit(
                state, objective, batches, experiment.training.steps, experiment.training.seed,
                cadence=cadence(experiment), sheets=sheets, folder=folder,
                validate=validate, best=best, history=list(run.events()) if leads() else (),
                interrupted=orders.interrupted, changes=changes,
                lesson=Lesson(orders, tests, experiment.training.seed, folder),
            )  # fmt: skip
            yield from record(run, events) if leads() else events
    except Diverged as error:
        if not leads():
            raise
        last = checkpoint.list_checkpoints(run.checkpoints)
        detail = f"{error}; the last good checkpoint is {last[-1].name if last else 'none'}"
        run.append(Finished(state.step, "failed", state.seconds, detail))
        raise Diverged(detail, error.step) from error
    finally:
        if leads():
            run.clear_requests()
            run.release()


def train(
    experiment: schema.Experiment,
    *,
    start: Trained | None = None,
    out: Path | None = None,
    dataset: Dataset | None = None,
) -> Trained:
    """Train `experiment` in a new run folder and open the result. With `start`, its decoder is where the new
    one begins; with `dataset`, the images are not read again.

    Raises UserError. Ctrl-C stops it after the step at hand; what is returned then is as far as it came.
    """
    if start is not None:
        experiment = experiment.model_copy(update={"start": str(start.run.path.resolve())})
    run = begin(experiment, out=out, dataset=dataset)
    for _ in work(run, dataset=dataset):
        pass
    return open_run(run)


def record(run: Run, events: Iterator[Event]) -> Iterator[Event]:
    for event in events:
        run.append(event)
        yield event


def cadence(experiment: schema.Experiment) -> Cadence:
    training = experiment.training
    return Cadence(
        training.log_every, training.sample_every, training.checkpoint_every, training.validate_every
    )


def extend(run: Run, steps: int) -> None:
    """Let a run go on to `steps` steps. Raises UserError where that would change the steps already taken."""
    run.only_read()
    experiment = schema.parse(run.config(), str(run.path / "config.json"))
    optimizer = experiment.optimizer
    if (optimizer.final != 1 or optimizer.schedule != "cosine") and steps != experiment.training.steps:
        raise UserError(
            f"{run.name} lowers its learning rate towards step {experiment.training.steps}, so its length "
            "can't change; resume it without --steps, or start a new run"
        )
    longer = schema.override(experiment, [f"training.steps={steps}"])
    config = run.config()
    config["training"] = {**config.get("training", {}), "steps": longer.training.steps}
    write_json(run.path / "config.json", config)
