"""A GAN's training, of which the generator is kept at chosen steps: what becomes of a decoder that was handed
over can then be looked at again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genlab.experiment import schema
from genlab.experiment.build import build_model
from genlab.experiment.trained import newest
from genlab.lessons.work import Said
from genlab.lessons.work import training as ordinary
from genlab.networks.decoder import Decoder
from genlab.networks.model import GAN
from genlab.runs.events import Event, Saved, Warned
from genlab.runs.store import Run
from genlab.training import checkpoint

FOLDER = "generators"
WITHIN = "averaged/generator."  # a generator's averaged tensors in a checkpoint


def train(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """given: config, of a GAN; marks, steps at which a checkpoint is due. needs: the run whose decoder it
    starts from, if it starts from one. Leaves the generator's averaged weights at each mark. What is found
    has the hand-over's receipt and the names of the detectors that warned, besides what any training finds.
    """
    run = Run(folder / "run")
    keep(run, given["marks"], folder)  # which an interruption kept from being done

    def seen(event: Event, run: Run) -> None:
        if isinstance(event, Saved):
            keep(run, given["marks"], folder)

    found = ordinary.train(given, folder, needs, said, seen)
    keep(run, given["marks"], folder)
    warned = [event.detector for event in run.all(Warned)]
    return found | {"receipt": run.receipt(), "warned": warned}


def keep(run: Run, marks: Sequence[int], folder: Path) -> None:
    """Put aside the generators of those checkpoints that are there and whose steps are among `marks`."""
    (folder / FOLDER).mkdir(exist_ok=True)
    for path in checkpoint.list_checkpoints(run.checkpoints):
        step = int(path.stem.removeprefix("step-"))
        place = place_of(folder, step)
        if step in marks and not place.exists():
            found = checkpoint.read_tensors(path, WITHIN)
            checkpoint.write_tensors(place, found, {"step": str(step)})


def place_of(folder: Path, step: int) -> Path:
    return folder / FOLDER / f"{step:07d}.safetensors"


def generator_at(folder: Path, step: int) -> Decoder:
    """The generator of the training in `folder` after `step` steps, in the mode that generates. Before the
    first step of a GAN that starts from no other run, it is what its seed makes of it."""
    run = Run(folder / "run")
    experiment = schema.parse(run.config(), str(run.path / "config.json"))
    assert experiment.data.shape is not None
    model = build_model(experiment, experiment.data.shape)
    assert isinstance(model, GAN)
    place = place_of(folder, step)
    if step > 0 or experiment.start is not None:
        checkpoint.fill(model.generator, checkpoint.read_tensors(place), WITHIN, place)
    return model.generator.eval().requires_grad_(False)


def is_whole(folder: Path, marks: Sequence[int]) -> bool:
    """Whether the training came so far that there is a generator at every mark; it may have diverged."""
    return int(newest(Run(folder / "run")).stem.removeprefix("step-")) >= marks[-1]
