"""From any source of images to shards: piece by piece, and the whole folder at once or not at all."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from genlab.data import idx
from genlab.data.choosing import Index, permutation
from genlab.data.dataset import Dataset, Images
from genlab.data.fetch import sha256
from genlab.data.fitting import Fit
from genlab.data.folder import plan_folder
from genlab.data.shards import MANIFEST, Manifest, Shape, Shard, is_sharded, mapped
from genlab.data.source import load
from genlab.errors import UserError

SHARD_BYTES = 128 << 20  # of pixels in a shard, where nobody says how many images
Pieces = Callable[[int], Iterator[Images]]  # images of a split, so many at a time
Progress = Callable[[str, int], None]


def pack(
    source: str,
    out: Path,
    *,
    shard_size: int | None = None,
    size: int | None = None,
    channels: int | None = None,
    fit: Fit = "crop",
    seed: int = 0,
    validation: float = 0.0,
    shuffle: bool = False,
    progress: Progress | None = None,
) -> Manifest:
    """Write the images behind a name, a folder or an .npz file (see `load`) as shards into the new folder
    `out`.

    Pictures of a folder are decoded a shard at a time, so that they need not fit in memory. With `shuffle`
    each split is mixed by the seed first, so that neighbours are no more alike than others.
    `progress(split, images)` is called after each shard. Raises UserError.
    """
    path = Path(source).expanduser()
    if is_sharded(path):
        raise UserError(f"{path} is in shards already: pack where its images came from.")
    if path.is_dir() and not idx.is_idx_folder(path):
        plan = plan_folder(path, size, channels, fit, None, seed, validation)
        side, name, names = plan.size, path.resolve().name, tuple(plan.names)
        shape = (plan.channels, side, side)
        splits = {
            split: plan.pieces(split, ordered(len(pictures), split, shuffle, seed))
            for split, pictures in plan.pictures.items()
        }
    else:
        dataset = load(source, size=size, channels=channels, fit=fit, seed=seed, validation=validation)
        shape, name, names = dataset.shape, dataset.name, dataset.class_names
        splits = {
            split: cut(images, ordered(len(images), split, shuffle, seed))
            for split, images in dataset.splits.items()
        }
    count = shard_size or max(1, SHARD_BYTES // int(np.prod(shape)))
    pieces = {split: each(count) for split, each in splits.items()}
    return write_shards(out, pieces, name=name, shape=shape, class_names=names, progress=progress)


def ordered(n: int, split: str, shuffle: bool, seed: int) -> Index:
    return permutation(n, seed, f"pack/{split}") if shuffle else np.arange(n)


def cut(images: Images, order: Index) -> Pieces:
    def pieces(count: int) -> Iterator[Images]:
        for start in range(0, len(order), count):
            yield images.take(order[start : start + count])

    return pieces


def write_shards(
    out: Path,
    splits: Mapping[str, Iterable[Images]],
    *,
    name: str,
    shape: Shape,
    class_names: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> Manifest:
    """Write a shard for each `Images` (n, *shape) of every split, "train" and "test" and perhaps
    "validation", and take `out`'s place with all of them. At most one is in memory at a time. Raises
    UserError where `out` exists, cannot be written, or a split is empty."""
    if out.exists():
        raise UserError(f"{out} exists: name a new folder for the shards.")
    temporary = out.with_name(f".{out.name[:60]}.{secrets.token_hex(4)}.part")
    try:
        found: dict[str, tuple[Shard, ...]] = {}
        for split, pieces in splits.items():
            (temporary / split).mkdir(parents=True)
            found[split] = tuple(
                write_shard(temporary, f"{split}/{number:05d}.arrow", images, shape, bool(class_names))
                for number, images in enumerate(told(pieces, split, progress))
            )
            if not found[split]:
                raise UserError(f"{name} has no images for {split}: give at least one.")
        manifest = identified(temporary, Manifest(name, shape, class_names, found, ""))
        durably(temporary / MANIFEST, json.dumps(manifest.as_json(), indent=1, ensure_ascii=False).encode())
        os.replace(temporary, out)
    except OSError as error:
        raise UserError(f"{out} cannot be written ({error.strerror or error}): make room there.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return manifest


def told(pieces: Iterable[Images], split: str, progress: Progress | None) -> Iterator[Images]:
    done = 0
    for images in pieces:
        if len(images):  # none of a piece's pictures could be read
            yield images
            done += len(images)
            if progress is not None:
                progress(split, done)


def write_shard(folder: Path, file: str, images: Images, shape: Shape, labelled: bool) -> Shard:
    import pyarrow as pa

    assert images.pixels.shape[1:] == shape, (images.pixels.shape, shape)
    assert (images.labels is not None) == labelled, "labels and class names go together"
    kind, rows = pa.binary(int(np.prod(shape))), pa.py_buffer(np.ascontiguousarray(images.pixels))
    columns = [pa.Array.from_buffers(kind, len(images), [None, rows])]
    fields = [pa.field("image", kind, nullable=False)]
    if labelled:
        columns.append(pa.array(images.labels, pa.int64()))
        fields.append(pa.field("label", pa.int64(), nullable=False))
    schema = pa.schema(fields, {"shape": json.dumps(shape)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(pa.record_batch(columns, schema=schema))
    path = folder / file
    durably(path, sink.getvalue())
    return Shard(file, len(images), path.stat().st_size, sha256(path))


def durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def identified(folder: Path, manifest: Manifest) -> Manifest:
    """`manifest` with the digest of what was written, read back shard by shard."""
    train, test = (mapped(folder, manifest.splits[s], manifest, s) for s in ("train", "test"))
    return replace(manifest, digest=Dataset(manifest.name, train, test, manifest.class_names).digest())
