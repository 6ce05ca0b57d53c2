"""A data set in shards: Arrow files that are mapped into memory, not read into it, and a manifest of them.

    faces/
      shards.json             what is in it: names, sizes, SHA-256 of every file, identity of the images
      train/00000.arrow …     image: fixed-size binary (C·H·W bytes); label: int64, where there are labels
      test/00000.arrow …      validation/ likewise, where there is one

A shard is an Arrow IPC file with one batch, uncompressed; the shape stands in its schema's metadata.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from genlab.data.bounds import check_memory
from genlab.data.choosing import at_most
from genlab.data.dataset import Dataset, Images, Labels, Pixels
from genlab.data.fetch import sha256
from genlab.data.rows import Rows
from genlab.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST = "shards.json"
FORMAT = "genlab-shards-1"
Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Shard:
    """One file: its path below the folder, its images, its bytes and their SHA-256."""

    file: str
    count: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """All that is known of a sharded set without opening a shard; `digest` is `Dataset.digest`."""

    name: str
    shape: Shape
    class_names: tuple[str, ...]
    splits: dict[str, tuple[Shard, ...]]
    digest: str

    def as_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **asdict(self)}


def is_sharded(folder: Path) -> bool:
    return (folder / MANIFEST).is_file()


def read_manifest(folder: Path) -> Manifest:
    """Raises UserError where the file is not what `write_shards` writes."""
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_text("utf-8"))
        if found.pop("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        found["shape"] = channels, height, width = tuple(map(int, found["shape"]))
        found["class_names"] = tuple(found["class_names"])
        found["splits"] = {
            s: tuple(Shard(**each) for each in shards) for s, shards in found["splits"].items()
        }
        manifest = Manifest(**found)
        files = [Path(shard.file) for shards in manifest.splits.values() for shard in shards]
        if (
            channels not in (1, 3)
            or min(height, width) < 1
            or not {"train", "test"} <= manifest.splits.keys()
        ):
            raise ValueError("it has no images that can be learned from")
        if not all(manifest.splits.values()) or any(p.is_absolute() or ".." in p.parts for p in files):
            raise ValueError("it names no shards, or files elsewhere")
    except (
        OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError
    ) as error:  # fmt: skip
        raise UserError(f"{path} is no manifest of shards ({error}): pack the images again.") from error
    return manifest


def read_shards(
    folder: Path, size: int | None, channels: int | None, limit: int | None, seed: int, validation: float
) -> Dataset:
    """The images of a sharded set, which stay on disk until they are asked for; with `limit` that many, in
    memory. Raises UserError where images would have to be changed or chosen anew, or a shard is damaged."""
    manifest = read_manifest(folder)
    refuse_changes(folder, manifest, size, channels, validation)
    splits = {split: mapped(folder, shards, manifest, split) for split, shards in manifest.splits.items()}
    digest: str | None = manifest.digest
    if limit is not None and limit < max(map(len, splits.values())):
        check_memory(
            sum(min(limit, len(each)) for each in splits.values()) * pixels_of(manifest), str(folder)
        )
        splits = {split: each.take(at_most(len(each), limit, seed, split)) for split, each in splits.items()}
        digest = None
    names = manifest.class_names
    return Dataset(
        manifest.name, splits["train"], splits["test"], names, (), splits.get("validation"), digest
    )


def refuse_changes(
    folder: Path, manifest: Manifest, size: int | None, channels: int | None, validation: float
) -> None:
    mine, height, width = manifest.shape
    if (size or height, size or width) != (height, width) or (channels or mine) != mine:
        raise UserError(
            f"{folder} holds images of {height}×{width}×{mine}, which are not changed while they stream: "
            "leave out the size and the channels, or pack the images anew with those."
        )
    if validation and "validation" in manifest.splits:
        raise UserError(
            f"{folder} has validation images of its own, so none are held out: set data.validation to 0."
        )
    if validation:
        raise UserError(
            f"{folder} streams, and none of its images are held out on the way: set data.validation to 0, or "
            f"pack the images anew with --validation {validation}."
        )


def pixels_of(manifest: Manifest) -> int:
    """Bytes of an image."""
    channels, height, width = manifest.shape
    return channels * height * width


def mapped(folder: Path, shards: tuple[Shard, ...], manifest: Manifest, split: str) -> Images:
    """One split, every shard of it mapped and none of it read."""
    labelled = bool(manifest.class_names)
    opened = [open_shard(folder / shard.file, shard, manifest.shape, labelled) for shard in shards]
    name = f"all of {split} in {folder}"
    # Rows are read like an array, and whatever wants all of one at once is refused where it does not fit
    pixels = cast(Pixels, Rows([pixels for pixels, _ in opened], name))
    if not labelled:
        return Images(pixels)
    return Images(pixels, cast(Labels, Rows([labels for _, labels in opened if labels is not None], name)))


def open_shard(path: Path, shard: Shard, shape: Shape, labelled: bool) -> tuple[Pixels, Labels | None]:
    """The pixels (n, C, H, W) and labels (n,) of a shard, mapped. Raises UserError naming the file."""
    import pyarrow as pa

    try:
        size = path.stat().st_size
        if size != shard.bytes:
            raise ValueError(f"it has {size:,} bytes, not {shard.bytes:,}")
        with pa.memory_map(str(path)) as source:  # what is mapped stays so, and the file is not held open
            batches = pa.ipc.open_file(source)
            if batches.num_record_batches != 1:
                raise ValueError(f"it has {batches.num_record_batches} batches, not one")
            batch = batches.get_batch(0)
        if batch.schema.names != (["image", "label"] if labelled else ["image"]):
            raise ValueError(f"its columns are {', '.join(batch.schema.names)}")
        pixels = flat(batch.column(0), pa.binary(int(np.prod(shape))), np.uint8)
        labels = flat(batch.column(1), pa.int64(), np.int64) if labelled else None
        if batch.num_rows != shard.count:
            raise ValueError(f"it has {batch.num_rows:,} images, not {shard.count:,}")
        return pixels.reshape(-1, *shape), labels
    except (OSError, ValueError, TypeError, NotImplementedError) as error:  # pyarrow's own are such, too
        why = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UserError(
            f"{path} is damaged or gone ({why}): restore it, or pack the images again."
        ) from error


def flat(column: pa.Array, kind: pa.DataType, dtype: type[np.generic]) -> Any:
    """The numbers of a column, where they lie."""
    if column.type != kind or column.null_count:
        raise ValueError(f"a column is {column.type} with {column.null_count} gaps, not {kind} without")
    values = np.frombuffer(column.buffers()[1], np.uint8)
    width = kind.bit_width // 8
    return values[column.offset * width : (column.offset + len(column)) * width].view(dtype)


def verify(folder: Path) -> Manifest:
    """Read every byte and compare with the manifest. Raises UserError naming the first file that differs."""
    manifest = read_manifest(folder)
    for shards in manifest.splits.values():
        for shard in shards:
            path = folder / shard.file
            if not path.is_file() or sha256(path) != shard.sha256:
                raise UserError(
                    f"{path} is not the file that was packed: restore it, or pack the images again."
                )
    return manifest
