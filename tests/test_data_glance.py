"""A glance at images says what loading them gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from small import blots, dataset

from genlab.data import load
from genlab.data import source as loading
from genlab.data.glance import glance
from genlab.data.packing import write_shards
from genlab.errors import UserError

OPTIONS: list[dict[str, Any]] = [
    {},
    {"limit": 7},
    {"validation": 0.25, "seed": 3},
    {"validation": 0.25, "limit": 1000},
    {"size": 16, "channels": 3},
]


def pictures(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    for index in range(23):
        levels = rng.integers(0, 256, (30 + index, 40, 3), dtype=np.uint8)
        path = folder / "ab"[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(levels).save(path)
    return folder


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", ["mnist", "pictures", "npz"])
def test_it_says_what_loading_gives(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    if kind == "mnist":
        name = "mnist"
    else:
        name = str(pictures(tmp_path) if kind == "pictures" else blots(tmp_path / "blots.npz"))
    loaded, seen = load(name, **options), glance(name, **options)
    assert seen == (loaded.shape, len(loaded.train))


def test_shards_say_it_themselves(tmp_path: Path) -> None:
    images = dataset()
    splits = {"train": [images.train], "test": [images.test]}
    write_shards(
        tmp_path / "shards", splits, name="blots", shape=images.shape, class_names=images.class_names
    )
    assert glance(str(tmp_path / "shards")) == ((1, 8, 8), 40)


def test_nothing_is_read_of_a_named_set_or_of_the_pixels_of_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("read")

    monkeypatch.setattr("genlab.data.folder.decode", refused)
    monkeypatch.setattr(loading, "BUILDERS", {})
    assert glance("cifar10") == ((3, 32, 32), 50_000)
    assert glance(str(pictures(tmp_path))).train == 21


def test_what_is_not_there_is_said_as_loading_says_it() -> None:
    with pytest.raises(UserError, match="did you mean mnist"):
        glance("mnsit")
