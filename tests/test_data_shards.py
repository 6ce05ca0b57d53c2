"""What was packed is what was given; it streams from disk; and what is damaged is named."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image

from genlab.data.batches import Batches, to_uint8
from genlab.data.dataset import Dataset, Images
from genlab.data.duplicates import duplicates
from genlab.data.packing import pack, write_shards
from genlab.data.rows import Rows
from genlab.data.shards import MANIFEST, read_manifest, verify
from genlab.data.source import load
from genlab.data.streaming import Streamed
from genlab.errors import UserError
from genlab.experiment.build import build_objective
from genlab.experiment.runner import begin, make_batches
from genlab.recipes import recipe


def given(tmp_path: Path, n: int = 60, labels: bool = True) -> Path:
    """An .npz of n different images of 8×8 in three classes."""
    rng = np.random.default_rng(0)
    arrays = {"images": rng.integers(0, 256, (n, 8, 8), np.uint8)}
    arrays |= {"labels": np.arange(n) % 3} if labels else {}
    np.savez(tmp_path / "given.npz", **arrays)  # type: ignore[arg-type]
    return tmp_path / "given.npz"


def packed(tmp_path: Path, *, labels: bool = True, shuffle: bool = False) -> tuple[Dataset, Dataset, Path]:
    source, out = given(tmp_path, labels=labels), tmp_path / "shards"
    pack(str(source), out, shard_size=7, validation=0.2, shuffle=shuffle)
    return load(str(source), validation=0.2), load(str(out)), out


@pytest.mark.parametrize("labels", [True, False])
def test_what_was_packed_is_what_was_given(tmp_path: Path, labels: bool) -> None:
    whole, shards, out = packed(tmp_path, labels=labels)
    assert shards.streams
    assert not whole.streams
    assert shards.describe() == whole.describe()
    assert shards.sizes() == whole.sizes()
    assert np.array_equal(shards.train.mean(), whole.train.pixels.mean(axis=0, dtype="f8"))
    for split, images in whole.splits.items():
        other = shards.splits[split]
        assert np.array_equal(np.asarray(other.pixels), images.pixels)
        if images.labels is not None:
            assert other.labels is not None
            assert np.array_equal(np.asarray(other.labels), images.labels)
    assert verify(out).digest == whole.digest()
    assert [len(list((out / split).iterdir())) for split in ("train", "validation", "test")] == [7, 2, 1]


def test_shuffled_shards_hold_the_same_images(tmp_path: Path) -> None:
    whole, shards, _ = packed(tmp_path, shuffle=True)
    assert shards.digest() != whole.digest()
    rows = [np.asarray(each.train.pixels).reshape(len(each.train), -1) for each in (whole, shards)]
    assert not np.array_equal(rows[0], rows[1])
    assert sorted(map(bytes, rows[0])) == sorted(map(bytes, rows[1]))


@pytest.mark.parametrize(("window", "binarise"), [(0, False), (10, False), (0, True)])
def test_every_epoch_streams_the_images_that_memory_gives(
    tmp_path: Path, window: int, binarise: bool
) -> None:
    whole, shards, _ = packed(tmp_path)
    assert len(shards.train) == 43
    memory = Batches(whole.train, 43, seed=5)
    streamed = Streamed(shards.train, 5, seed=5, window=window)
    for epoch in range(2):
        there = memory(epoch)
        index = np.concatenate([streamed.index(step) for step in range(26)])[epoch * 43 : (epoch + 1) * 43]
        assert sorted(index.tolist()) == list(range(43))
        here = [shards.train.pixels[index[i : i + 1]].tobytes() for i in range(43)]
        assert sorted(here) == sorted(row.numpy().tobytes() for row in to_uint8(there.images))
    batch, again = streamed(9), Streamed(shards.train, 5, seed=5, window=window)(9)  # not ahead, and ahead
    assert torch.equal(batch.images, again.images)
    assert torch.equal(streamed(10).images, Streamed(shards.train, 5, seed=5, window=window)(10).images)
    assert batch.labels is not None
    assert again.labels is not None
    assert torch.equal(batch.labels, again.labels)
    found = whole.train.pixels[streamed.index(9)]
    assert np.array_equal(to_uint8(batch.images).numpy(), found)
    if binarise:
        drawn = Streamed(shards.train, 5, seed=5, binarise=True)
        assert set(drawn(0).images.unique().tolist()) == {-1.0, 1.0}
        assert not torch.equal(drawn(0).images, drawn(3).images)


def test_training_and_measuring_read_rows_alone(tmp_path: Path) -> None:
    """49 MB of images, of which batches are drawn within 2 MB of Python's and none of Arrow's memory."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (4000, 3, 64, 64), np.uint8)
    pieces = [Images(pixels[start : start + 500]) for start in range(0, 4000, 500)]
    write_shards(tmp_path / "big", {"train": pieces, "test": pieces[:1]}, name="big", shape=(3, 64, 64))
    mean = pixels.mean(axis=0, dtype="f8")
    del pixels, pieces
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    shards = load(str(tmp_path / "big"))
    streamed = Streamed(shards.train, 16, seed=1)
    for step in range(20):
        assert streamed(step).images.shape == (16, 3, 64, 64)
    shards.describe()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2e6
    assert pa.total_allocated_bytes() == before
    assert np.array_equal(shards.train.mean(), mean)


def test_a_folder_of_pictures_is_packed_a_shard_at_a_time(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for kind in ("cats", "dogs"):
        (tmp_path / "pets" / kind).mkdir(parents=True)
        for number in range(11):
            Image.fromarray(rng.integers(0, 256, (12, 10, 3), np.uint8)).save(
                tmp_path / "pets" / kind / f"{number}.png"
            )
    (tmp_path / "pets" / "cats" / "3.png").write_bytes(b"no picture")
    seen: list[tuple[str, int]] = []
    pack(str(tmp_path / "pets"), tmp_path / "out", shard_size=4, size=8, validation=0.2,
         progress=lambda split, done: seen.append((split, done)))  # fmt: skip
    whole, shards = load(str(tmp_path / "pets"), size=8, validation=0.2), load(str(tmp_path / "out"))
    assert shards.digest() == whole.digest()
    assert shards.class_names == ("cats", "dogs")
    assert [done for split, done in seen if split == "train"][:2] == [4, 8]


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    _, _, out = packed(tmp_path)
    shard = out / "train" / "00002.arrow"
    content = shard.read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    for damaged in (content[:-10], b"", bytes(len(content))):
        shard.write_bytes(damaged)
        with pytest.raises(UserError, match=r"train/00002\.arrow is damaged or gone") as error:
            load(str(out))
        assert "\n" not in str(error.value)
    shard.write_bytes(flipped)
    with pytest.raises(UserError, match=r"train/00002\.arrow is not the file that was packed"):
        verify(out)
    shard.unlink()
    with pytest.raises(UserError, match=r"train/00002\.arrow is damaged or gone"):
        load(str(out))


@pytest.mark.parametrize(
    "change",
    [
        {"format": "another"},
        {"shape": [2, 8, 8]},
        {"splits": {"train": []}},
        {"splits": None},
        {"more": 1},
    ],
)
def test_a_manifest_that_is_none_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    _, _, out = packed(tmp_path)
    manifest = json.loads((out / MANIFEST).read_text())
    (out / MANIFEST).write_text(json.dumps(manifest | change))
    with pytest.raises(UserError, match=r"shards\.json is no manifest"):
        load(str(out))


def test_a_manifest_names_no_files_elsewhere(tmp_path: Path) -> None:
    _, _, out = packed(tmp_path)
    (out / MANIFEST).write_text((out / MANIFEST).read_text().replace("test/00000", "../test/00000"))
    with pytest.raises(UserError, match="files elsewhere"):
        load(str(out))


def test_what_would_touch_every_image_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, shards, out = packed(tmp_path)
    with pytest.raises(UserError, match="not changed while they stream"):
        load(str(out), size=16)
    with pytest.raises(UserError, match="not changed while they stream"):
        load(str(out), channels=3)
    with pytest.raises(UserError, match="validation images of its own"):
        load(str(out), validation=0.1)
    with pytest.raises(UserError, match="exists"):
        pack(str(given(tmp_path)), out)
    with pytest.raises(UserError, match="already"):
        pack(str(out), tmp_path / "again")
    monkeypatch.setattr("genlab.data.rows.check_memory", refuse)
    with pytest.raises(UserError, match=r"all of train in .*shards"):
        np.asarray(shards.train.pixels)
    assert load(str(out), size=8, channels=1).digest() == whole.digest()


def refuse(n_bytes: int, name: str) -> None:
    raise UserError(name)


def test_a_limit_takes_the_same_images_into_memory(tmp_path: Path) -> None:
    source, out = given(tmp_path), tmp_path / "shards"
    pack(str(source), out, shard_size=7)
    few, same = load(str(out), limit=9), load(str(source), limit=9)
    assert not few.streams
    assert few.digest() == same.digest()
    assert not sum(duplicates(few).within.values())


def test_nothing_is_left_of_a_packing_that_fails(tmp_path: Path) -> None:
    images = Images(np.zeros((3, 1, 8, 8), np.uint8))
    with pytest.raises(UserError, match="no images for test"):
        write_shards(tmp_path / "out", {"train": [images], "test": []}, name="x", shape=(1, 8, 8))
    assert list(tmp_path.iterdir()) == []


def test_the_shards_are_arrow_files_that_others_read(tmp_path: Path) -> None:
    whole, _, out = packed(tmp_path)
    manifest = read_manifest(out)
    tables = [pa.ipc.open_file(out / shard.file).read_all() for shard in manifest.splits["train"]]
    rows = pa.concat_tables(tables).to_pydict()
    assert b"".join(rows["image"]) == whole.train.pixels.tobytes()
    assert whole.train.labels is not None
    assert rows["label"] == whole.train.labels.tolist()
    assert json.loads(tables[0].schema.metadata[b"shape"]) == [1, 8, 8]


def test_rows_are_read_like_the_array_that_they_would_be() -> None:
    whole = np.arange(40, dtype=np.int64).reshape(20, 2)
    rows = Rows([whole[:7], whole[7:8], whole[8:]], "rows")
    assert (len(rows), rows.shape, rows.dtype, rows.ndim) == (20, (20, 2), whole.dtype, 2)
    for index in (
        slice(5, 12),
        slice(None, None, 3),
        slice(18, 99),
        np.array([19, 0, 7, 7]),
        np.array([], int),
    ):
        assert np.array_equal(rows[index], whole[index])
    assert (rows.min(), rows.max()) == (0, 39)
    rows[:3][:] = -1
    assert rows.min() == 0, "what is read is a copy"


def test_a_window_is_for_what_streams(tmp_path: Path) -> None:
    whole, shards, _ = packed(tmp_path)
    experiment = recipe("vae", "data.window=10", "training.batch_size=4", "training.threads=1")
    with pytest.raises(UserError, match=r"set data\.window to 0"):
        begin(experiment, out=tmp_path / "run", dataset=whole)
    assert not (tmp_path / "run").exists()
    batches = make_batches(experiment, shards, build_objective(experiment.objective))
    assert isinstance(batches, Streamed)
    assert batches.window == 10
