"""What a blind comparison shows, and the two files it leaves: the key, and the choices."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from genlab.data.batches import to_uint8
from genlab.errors import UserError
from genlab.evaluation.blind import Choice, Pair, Source, plan, shares
from genlab.experiment.runner import load_data
from genlab.experiment.trained import Trained
from genlab.lessons.report.content import Pixels
from genlab.randomness import derive_seed
from genlab.runs.files import read_json
from genlab.runs.store import runs_root

CHOICES: tuple[Choice, ...] = ("left", "right", "neither")


@dataclass(frozen=True)
class Blind:
    """`left` and `right` (T, C, H, W) are the images of `trials`; `key` says what they are, and whose."""

    trials: tuple[Pair, ...]
    left: Pixels
    right: Pixels
    key: dict[str, Any]

    @property
    def identity(self) -> str:
        return str(self.key["id"])


def prepare(references: tuple[str, str], models: tuple[Trained, Trained], trials: int, seed: int) -> Blind:
    """Trials with images that are each shown once: samples of the two models (from the same z, pair by pair,
    where they share it) and test images. Which model is "one" is drawn too.

    Raises UserError where the models were trained on different images, or the test images do not suffice.
    """
    datas = [model.experiment.data for model in models]
    if datas[0].digest != datas[1].digest:
        raise UserError(
            f"{models[0].run.name} and {models[1].run.name} were trained on different images "
            f"({datas[0].name}, {datas[1].name}), which anyone can tell apart; compare runs on one data set"
        )
    rng = np.random.default_rng(derive_seed(seed, "blind"))
    order = rng.permutation(2)
    pairs, facing, _ = shares(trials)
    tests = load_data(models[0].experiment).test.pixels
    if len(tests) < 2 * facing:
        most = 4 * (len(tests) // 2)
        raise UserError(f"there are {len(tests)} test images only; ask for --trials {most} or fewer")
    images: dict[Source, Any] = {"real": tests[rng.permutation(len(tests))[: 2 * facing]]}
    sources: tuple[Source, Source] = ("one", "other")
    for source, index in zip(sources, order, strict=True):
        images[source] = to_uint8(models[index].sample(pairs + facing, seed).images).numpy()
    planned = plan(trials, seed)
    left, right = dealt(planned, images)
    names = {source: references[index] for source, index in zip(sources, order, strict=True)}
    digest = hashlib.sha256(left.tobytes() + right.tobytes()).hexdigest()[:10]
    key = {
        "format": "genlab-blind-key", "version": 1, "id": digest, "seed": seed, "data": datas[0].name,
        "names": {**names, "real": "real images"}, "trials": [list(pair) for pair in planned],
    }  # fmt: skip
    return Blind(planned, left, right, key)


def dealt(trials: tuple[Pair, ...], images: dict[Source, Any]) -> tuple[Pixels, Pixels]:
    """The images of each trial. In the k-th trial of model against model both show their k-th sample; against
    real images each goes on where those end."""
    pairs = sum("real" not in pair for pair in trials)
    met = dict.fromkeys(("pair", "one", "other", "real"), 0)
    sides: tuple[list[Any], list[Any]] = ([], [])
    for pair in trials:
        model = next((source for source in pair if source != "real"), "one")
        for side, source in zip(sides, pair, strict=True):
            if "real" not in pair:
                side.append(images[source][met["pair"]])
            elif source == "real":
                side.append(images["real"][met["real"]])
            else:
                side.append(images[source][pairs + met[source]])
        for counter in ("pair",) if "real" not in pair else ("real", model):
            met[counter] += 1
    return np.stack(sides[0]), np.stack(sides[1])


def folder() -> Path:
    """Where pages and keys go by default: beside the runs."""
    return runs_root() / "blind"


def read_results(path: Path) -> tuple[str, dict[int, Choice]]:
    """The identity of the page and its choices by trial. Raises UserError where no page saved it."""
    found = read_json(path)
    wrong = f"{path} is no result of a blind page; give the file that the page saved"
    if not isinstance(found, dict) or found.get("format") != "genlab-blind":
        raise UserError(wrong)
    choices: dict[int, Choice] = {}
    for answer in found.get("answers", ()):
        trial, choice = answer.get("trial"), answer.get("choice")
        if not isinstance(trial, int) or choice not in CHOICES:
            raise UserError(wrong)
        choices[trial] = choice
    return str(found.get("id")), choices


def read_key(identity: str, results: Path, given: Path | None) -> dict[str, Any]:
    """The key of a page: `given`, or the file of its name beside the results, in the folder of blind pages,
    or here. Raises UserError where there is none, or another page's."""
    name = f"{identity}.key.json"
    places = [given] if given else [results.parent / name, folder() / name, Path(name)]
    for place in places:
        if place.exists():
            key = read_json(place)
            if not isinstance(key, dict) or key.get("id") != identity:
                raise UserError(f"{place} is the key of another page than the one that {results} comes from")
            return key
    looked = ", ".join(str(place) for place in places)
    raise UserError(f"the key {name} is not there (looked for {looked}); name it with --key")
