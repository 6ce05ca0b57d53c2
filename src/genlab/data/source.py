"""The one door to images: a name of the catalogue, a folder of pictures or of shards, or an .npz file."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import get_args

from genlab.data import idx
from genlab.data import mnist as embedded
from genlab.data.bounds import check_side
from genlab.data.catalogue import CATALOGUE
from genlab.data.choosing import at_most, held_out, train_and_test
from genlab.data.dataset import Dataset, Images
from genlab.data.downloaded import cifar10, emnist, idx_set
from genlab.data.fitting import Fit, fitted
from genlab.data.folder import read_folder
from genlab.data.npz import read_npz
from genlab.data.shapes import shapes
from genlab.data.shards import is_sharded, read_shards
from genlab.data.stacked import stacked_mnist
from genlab.errors import UserError

BUILDERS: dict[str, Callable[[int], Dataset]] = {
    "mnist": lambda seed: embedded.mnist(),
    "stacked-mnist": stacked_mnist,
    "shapes": shapes,
    "fashion-mnist": lambda seed: idx_set("fashion-mnist"),
    "kmnist": lambda seed: idx_set("kmnist"),
    "emnist": lambda seed: emnist(),
    "cifar10": lambda seed: cifar10(),
}


def ahead(name_or_path: str) -> None:
    """Say early what `load` will be asked for: what takes a while there begins in the background."""
    if name_or_path in ("mnist", "stacked-mnist"):
        embedded.ahead()


def load(
    name_or_path: str,
    *,
    size: int | None = None,
    channels: int | None = None,
    fit: Fit = "crop",
    limit: int | None = None,
    seed: int = 0,
    validation: float = 0.0,
) -> Dataset:
    """The images behind a name of the catalogue, or a path to a folder (of pictures, or of the shards that
    `genlab data pack` makes, which stay on disk) or to an .npz file.

    size: the side in px, 8 to 1024, of the square images; without it the shorter side of what is there (of
    pictures at most 64). channels: 1 (grey) or 3 (RGB). fit: keep the middle of what is not square, or pad it
    with black. limit: at most so many images in each of train, validation and test, chosen by the seed; the
    seed also says which images are for testing where the source does not, and which digits are stacked: keep
    it the same over runs that are to be compared. validation: the fraction of the training images held out
    by the seed, where the source has no validation images of its own. Raises UserError, in one sentence."""
    _check_options(size, channels, fit, limit, validation)
    if name_or_path in BUILDERS:
        dataset = BUILDERS[name_or_path](seed)
    else:
        path = Path(name_or_path).expanduser()
        if is_sharded(path):
            return read_shards(path, size, channels, limit, seed, validation)
        if path.is_dir() and not idx.is_idx_folder(path):
            return read_folder(path, size, channels, fit, limit, seed, validation)
        dataset = _from_path(path, name_or_path, seed)
    side = size or min(dataset.shape[1:])
    check_side(side, f"the shorter side of the images of {dataset.name}")

    def finished(images: Images, split: str) -> Images:
        kept = at_most(len(images), limit, seed, split)
        some = images if len(kept) == len(images) else images.take(kept)
        return Images(fitted(some.pixels, side, channels or dataset.shape[0], fit, dataset.name), some.labels)

    learned, held = held_out(len(dataset.train), validation, seed)
    train = finished(dataset.train.take(learned) if len(held) else dataset.train, "train")
    middle = finished(dataset.train.take(held), "validation") if len(held) else None
    test = finished(dataset.test, "test")
    return Dataset(dataset.name, train, test, dataset.class_names, validation=middle)


def _check_options(
    size: int | None, channels: int | None, fit: str, limit: int | None, validation: float
) -> None:
    if size is not None:
        check_side(size, "the size asked for")
    if channels not in (None, 1, 3):
        raise UserError(f"channels is {channels}: choose 1 (grey) or 3 (RGB).")
    if fit not in get_args(Fit):
        raise UserError(f"fit is {fit!r}: choose crop or pad.")
    if limit is not None and limit < 2:
        raise UserError(f"limit is {limit}: at least 2 images are needed.")
    if not 0 <= validation <= 0.9:
        raise UserError(
            f"validation is {validation}: give the fraction of the training images to hold out, 0 to 0.9."
        )


def _from_path(path: Path, given: str, seed: int) -> Dataset:
    if path.is_dir():
        return idx.read_folder(path, path.resolve().name)
    if not path.exists():
        raise UserError(_unknown(given))
    if path.suffix.lower() != ".npz":
        raise UserError(
            f"{path} is a file but no .npz: give an .npz, a folder of pictures, or a name of `genlab data`."
        )
    images = read_npz(path)
    train, test = train_and_test(len(images), seed, str(path))
    return Dataset(path.stem, images.take(train), images.take(test), idx.numbered(images.labels))


def _unknown(given: str) -> str:
    if Path(given).suffix or Path(given).name != given:
        return f"There is no file or folder {given}: give one that is there, or a name of `genlab data`."
    names = ", ".join(CATALOGUE)
    near = get_close_matches(given.lower().replace("_", "-"), CATALOGUE, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return (
        f"There is no data set named {given}{hint}, and no such file or folder: choose one of {names}, "
        "or give the path of a folder of images or of an .npz file."
    )
