"""A folder of pictures as a data set: sub-folders are classes; what cannot be read is named and left out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from genlab.data.bounds import check_memory
from genlab.data.choosing import Index, at_most, held_out, train_and_test
from genlab.data.dataset import Dataset, Images
from genlab.data.fitting import Fit
from genlab.data.pictures import SUFFIXES, UnreadableError, decode, measure
from genlab.errors import UserError

VALIDATION = ("validation", "val", "valid")  # what a folder of validation pictures may be called
DEFAULT_SIDE = 64  # px, at most, where no size is asked for
T = TypeVar("T")


@dataclass(frozen=True)
class _Picture:
    """A file, its class (empty where there are no classes), its shorter side in px, its channels."""

    path: Path
    label: str
    side: int
    channels: int


def read_folder(
    folder: Path,
    size: int | None,
    channels: int | None,
    fit: Fit,
    limit: int | None,
    seed: int,
    validation: float = 0.0,
) -> Dataset:
    """The pictures below `folder`, every one made to `size` × `size`.

    Its sub-folders are the classes, unless pictures lie beside them. With sub-folders train/ and test/ or
    validation/ (val/, valid/) those are the sets; otherwise a tenth, chosen by the seed, is for testing, and
    the fraction `validation` of the others for validation. Without `size`: the shorter side of the smallest
    picture, but at most 64; without `channels`: grey if every picture is. Pictures of a validation folder
    decide neither."""
    plan = plan_folder(folder, size, channels, fit, limit, seed, validation)
    check_memory(sum(map(len, plan.pictures.values())) * plan.channels * plan.size**2, str(folder))
    read = {split: plan.images(pictures) for split, pictures in plan.pictures.items()}
    for split, images in read.items():
        _refuse_fewer(1, len(images), f"{folder} ({split})", plan.skipped)
    reasons = tuple(f"{path.relative_to(folder)}: {why}" for path, why in sorted(plan.skipped.items()))
    return Dataset(
        folder.resolve().name, read["train"], read["test"], tuple(plan.names), reasons, read.get("validation")
    )


@dataclass(frozen=True)
class Plan:
    """What a folder's images will be, before one of them is decoded: the pictures of each split, the names of
    their classes, and what they will be made to; `skipped` says what could not be read so far."""

    folder: Path
    pictures: dict[str, list[_Picture]]
    names: list[str]
    size: int
    channels: int
    fit: Fit
    skipped: dict[Path, str]

    def images(self, pictures: list[_Picture]) -> Images:
        return _images(self.folder, pictures, self.names, self.size, self.channels, self.fit, self.skipped)

    def pieces(self, split: str, order: Index) -> Callable[[int], Iterator[Images]]:
        """The pictures of a split in that order, so many at a time."""

        def pieces(count: int) -> Iterator[Images]:
            for start in range(0, len(order), count):
                yield self.images([self.pictures[split][i] for i in order[start : start + count]])

        return pieces


def plan_folder(
    folder: Path,
    size: int | None,
    channels: int | None,
    fit: Fit,
    limit: int | None,
    seed: int,
    validation: float = 0.0,
) -> Plan:
    """Which pictures below `folder` are for what, as `read_folder` says."""
    skipped: dict[Path, str] = {}
    splits = _splits(folder, seed, skipped)
    known = {split: pictures for split, pictures in splits.items() if split != "validation"}
    names = sorted({picture.label for pictures in known.values() for picture in pictures} - {""})
    if len(known) == len(splits):
        splits = _with_validation(splits, validation, seed)
    elif validation:
        raise UserError(
            f"{folder} has a folder of validation pictures, so none are held out: set data.validation to 0."
        )
    _refuse_new_classes(folder, splits.get("validation", []), names)
    chosen = {split: [pictures[i] for i in at_most(len(pictures), limit, seed, split)]
              for split, pictures in splits.items()}  # fmt: skip
    deciding = [p for split, pictures in chosen.items() if split in known or validation for p in pictures]
    size = size or min(DEFAULT_SIDE, *(picture.side for picture in deciding))
    channels = channels or max(picture.channels for picture in deciding)
    return Plan(folder, chosen, names, size, channels, fit, skipped)


def _splits(folder: Path, seed: int, skipped: dict[Path, str]) -> dict[str, list[_Picture]]:
    """The pictures for training, for testing and, where a folder says so, for validation, with classes in all
    or in none."""
    try:
        inside = {path.name.lower(): path for path in folder.iterdir() if path.is_dir()}
    except OSError as error:
        raise UserError(f"{folder} cannot be read ({error.strerror or error}).") from error
    middle = [name for name in VALIDATION if name in inside]
    if "train" not in inside or not ("test" in inside or middle):
        return _tested_by_seed(folder, _pictures(folder, skipped), seed, skipped)
    if len(middle) > 1:
        raise UserError(f"{folder} has both {middle[0]} and {middle[1]}: keep one folder for validation.")
    folders = {"train": inside["train"]}
    folders |= {"validation": inside[middle[0]]} if middle else {}
    folders |= {"test": inside["test"]} if "test" in inside else {}
    splits = {split: _pictures(path, skipped) for split, path in folders.items()}
    for split, pictures in splits.items():
        _refuse_fewer(1, len(pictures), str(folders[split]), skipped)
    if len({bool(picture.label) for pictures in splits.values() for picture in pictures}) == 2:
        *others, last = splits
        some, all_ = ("one", "both") if len(splits) == 2 else ("some", "all")
        which = f"only {some} of {', '.join(others)} and {last}"
        raise UserError(f"{folder} has classes, as sub-folders, in {which}: use them in {all_}.")
    if "test" not in splits:
        splits |= _tested_by_seed(inside["train"], splits["train"], seed, skipped)
    return splits


def _tested_by_seed(
    folder: Path, pictures: list[_Picture], seed: int, skipped: dict[Path, str]
) -> dict[str, list[_Picture]]:
    """A tenth of the pictures of `folder` for testing, the others for training."""
    _refuse_fewer(2, len(pictures), str(folder), skipped)
    train, test = train_and_test(len(pictures), seed, str(folder))
    return {"train": [pictures[i] for i in train], "test": [pictures[i] for i in test]}


def _with_validation(
    splits: dict[str, list[_Picture]], fraction: float, seed: int
) -> dict[str, list[_Picture]]:
    """The same with that fraction of the training pictures held out, if it is not 0."""
    pictures = splits["train"]
    train, held = held_out(len(pictures), fraction, seed)
    if not len(held):
        return splits
    middle = [pictures[i] for i in held]
    return {"train": [pictures[i] for i in train], "validation": middle, "test": splits["test"]}


def _refuse_new_classes(folder: Path, pictures: list[_Picture], names: list[str]) -> None:
    if strange := sorted({picture.label for picture in pictures} - {*names, ""}):
        raise UserError(
            f"{folder} has the class {strange[0]} among its validation pictures alone: put pictures of it "
            "into train too, or leave it out."
        )


def _pictures(folder: Path, skipped: dict[Path, str]) -> list[_Picture]:
    """Every file below `folder` whose name and header are a picture's, in the order of paths; hidden ones are
    left out."""
    paths: list[Path] = []
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        names = (name for name in sorted(files) if not name.startswith("."))
        paths += [Path(where, name) for name in names if Path(name).suffix.lower() in SUFFIXES]
    if not paths:
        kinds = ", ".join(sorted(SUFFIXES))
        raise UserError(f"{folder} has no pictures in it or below it: put files there that end in {kinds}.")
    parts = [path.relative_to(folder).parts for path in paths]
    classes = all(len(part) > 1 for part in parts)
    return [
        _Picture(path, part[0] if classes else "", *measured)
        for path, part, measured in zip(paths, parts, _each(measure, paths, skipped), strict=True)
        if measured is not None
    ]


def _images(
    folder: Path,
    pictures: list[_Picture],
    names: list[str],
    size: int,
    channels: int,
    fit: Fit,
    skipped: dict[Path, str],
) -> Images:
    """The pictures that can be decoded, (n, channels, size, size), with their labels and paths."""
    pixels = np.empty((len(pictures), channels, size, size), np.uint8)

    def into_place(place: int) -> bool:
        pixels[place] = decode(pictures[place].path, size, channels, fit)
        return True

    places = {picture.path: place for place, picture in enumerate(pictures)}
    done = _each(lambda path: into_place(places[path]), list(places), skipped)
    readable = np.array([one is not None for one in done], bool)
    label = {name: number for number, name in enumerate(names)}
    labels = np.array([label[picture.label] for picture in pictures], np.int64)[readable] if names else None
    files = (picture.path.relative_to(folder).as_posix() for picture in pictures)
    kept = tuple(file for file, whole in zip(files, readable, strict=True) if whole)
    return Images(pixels if readable.all() else pixels[readable], labels, kept)


def _each(read: Callable[[Path], T], paths: Sequence[Path], skipped: dict[Path, str]) -> list[T | None]:
    """`read` of every path, on a few threads (Pillow lets go of the interpreter while it decodes); None, and
    a reason in `skipped`, where it cannot be read."""

    def one(path: Path) -> T | None:
        try:
            return read(path)
        except UnreadableError as error:
            skipped[path] = str(error)
            return None

    with warnings.catch_warnings(), ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        warnings.simplefilter("ignore")  # of a damaged file's metadata, for which nobody here has a use
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return list(pool.map(one, paths))


def _refuse_fewer(least: int, found: int, where: str, skipped: dict[Path, str]) -> None:
    if found >= least:
        return
    path, why = min(skipped.items(), default=(None, ""))
    counted = "1 picture" if found == 1 else "no pictures"
    left_out = f" ({len(skipped)} left out; {path.name}: {why})" if path else ""
    raise UserError(f"{where} has {counted} that can be read{left_out}: at least {least} needed.")
