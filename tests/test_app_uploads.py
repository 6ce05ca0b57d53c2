"""Uploads are not believed: what is kept is what can be trained on, and all else is one sentence."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genlab.app.sets import unpacking, uploads
from genlab.app.sets.uploads import File, store, stored
from genlab.data.source import load
from genlab.errors import UserError


def picture(level: int, side: int = 16, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((side, side + level % 3, 3), level, np.uint8)).save(buffer, kind)
    return buffer.getvalue()


def file(name: str, data: bytes) -> File:
    return File(name, io.BytesIO(data))


def zipped(members: dict[str, bytes], *, links: tuple[str, ...] = ()) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = ((stat.S_IFLNK if name in links else stat.S_IFREG) | 0o644) << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def arrays(**named: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **named)  # type: ignore[arg-type]  # its stubs take them for allow_pickle
    return buffer.getvalue()


PETS = {f"photos/{kind}/{i}.png": picture(10 * i) for kind in ("cats", "dogs") for i in range(6)}


def test_a_zip_of_folders_becomes_a_data_set_with_classes(runs: Path) -> None:
    kept = store([file("My pets!.zip", zipped({**PETS, "photos/readme.txt": b"hello"}))])
    assert kept.folder.parent == (runs / ".uploads").resolve()
    assert kept.name == "My-pets"
    dataset = load(kept.data)
    assert dataset.class_names == ("cats", "dogs")
    assert len(dataset.train) + len(dataset.test) == 12
    assert kept.size == sum(map(len, PETS.values()))
    assert [each.folder for each in stored()] == [kept.folder]


def test_splits_in_a_zip_are_kept(runs: Path) -> None:
    members = {f"set/{split}/a/{i}.png": picture(i) for split in ("train", "test") for i in range(3)}
    dataset = load(store([file("set.zip", zipped(members))]).data)
    assert (len(dataset.train), len(dataset.test)) == (3, 3)


def test_an_npz_and_pictures_become_data_sets(runs: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (10, 12, 12), dtype=np.uint8)
    from_arrays = load(store([file("blots.npz", arrays(images=images))]).data)
    assert len(from_arrays.train) + len(from_arrays.test) == 10
    pictures = [file(f"{i}.jpg", picture(20 * i, kind="JPEG")) for i in range(5)]
    assert len(load(store([*pictures, file("0.jpg", picture(200))]).data).train) == 5


def test_the_same_upload_is_recognised_and_another_is_not(runs: Path) -> None:
    first = store([file("pets.zip", zipped(PETS))])
    again = store([file("pets.zip", zipped(PETS))])
    assert (first.again, again.again) == (False, True)
    assert again.folder == first.folder
    store([file("pets.zip", zipped({**PETS, "photos/cats/7.png": picture(77)}))])
    assert len(stored()) == 2


def test_a_removed_upload_is_gone_and_can_come_again(runs: Path) -> None:
    kept = store([file("pets.zip", zipped(PETS))])
    uploads.remove(kept)
    assert stored() == []
    assert not kept.folder.exists()
    assert not store([file("pets.zip", zipped(PETS))]).again


def test_what_is_no_picture_is_left_out_by_name(runs: Path) -> None:
    kept = store([file("pets.zip", zipped({**PETS, "photos/cats/broken.png": b"\x89PNG no"}))])
    (line,) = kept.left_out
    assert line.startswith("photos/cats/broken.png: ")
    assert len(list(kept.folder.rglob("*.png"))) == len(PETS)


BOMB = picture(0, 9000)  # 81 million pixels in some kilobytes
LOCKED = zipped(PETS).replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00")
BAD = {
    "nothing": ([], "nothing was uploaded"),
    "another kind": ([("a.txt", b"hello")], "a.txt is no picture"),
    "mixed": ([("a.png", picture(1)), ("b.zip", zipped(PETS))], "b.zip can't be uploaded together"),
    "one picture": ([("a.png", picture(1))], "has one picture"),
    "damaged pictures": ([("a.png", b"x"), ("b.png", b"y")], "no picture that can be read (a.png: "),
    "pixel bombs": ([("a.png", BOMB), ("b.png", BOMB + b" ")], "more than 64 million pixels"),
    "no zip": ([("a.zip", b"PK what")], "a.zip is no zip"),
    "a cut zip": ([("a.zip", zipped(PETS)[:-40])], "a.zip is no zip"),
    "a zip without pictures": ([("a.zip", zipped({"a.txt": b"hi"}))], "a.zip has no pictures"),
    "a way out": ([("a.zip", zipped({**PETS, "../../evil.png": picture(1)}))], "leads elsewhere, ../../evil"),
    "an absolute path": ([("a.zip", zipped({**PETS, "/etc/evil.png": picture(1)}))], "leads elsewhere, /etc"),
    "a Windows way out": ([("a.zip", zipped({**PETS, "C:\\evil.png": picture(1)}))], "leads elsewhere"),
    "a link": ([("a.zip", zipped({**PETS, "l.png": b"/etc/passwd"}, links=("l.png",)))], "has a link, l.png"),
    "a locked zip": ([("a.zip", LOCKED)], "locked with a password"),
    "deep folders": ([("a.zip", zipped({"/".join("abcdefghi") + "/x.png": picture(1)}))], "folders in "),
    "no images array": ([("a.npz", arrays(pixels=np.zeros(3)))], "a.npz has no array named images"),
    "objects": ([("a.npz", arrays(images=np.array([{}, {}], object)))], "a.npz holds object"),
    "one image": ([("a.npz", arrays(images=np.zeros((1, 9, 9), np.uint8)))], "a.npz has one image"),
    "no npz": ([("a.npz", b"nothing")], "a.npz is no .npz"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("case", BAD)
def test_a_bad_upload_is_one_sentence_and_leaves_nothing(runs: Path, case: str) -> None:
    files, said = BAD[case]
    with pytest.raises(UserError) as caught:
        store([file(*each) for each in files])
    assert said in str(caught.value)
    assert str(runs) not in str(caught.value)
    assert not list((runs / ".uploads").glob("*"))
    assert not list(runs.parent.rglob("evil.png"))


@pytest.mark.parametrize(("limit", "value"), [("MAX_FILES", 5), ("MAX_BYTES", 200), ("MAX_FILE", 20)])
def test_limits_hold_for_what_is_announced_and_for_what_comes(
    runs: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(unpacking, limit, value)
    with pytest.raises(UserError, match=r"at most|more than"):
        store([file("pets.zip", zipped(PETS))])
    assert not stored()


def test_a_zip_that_lies_about_its_sizes_is_stopped(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sum of the announced sizes is small; the bytes that come are not."""
    honest = zipped({**PETS, "photos/cats/big.png": bytes(300_000)})
    lying = honest.replace((300_000).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lying != honest
    monkeypatch.setattr(unpacking, "MAX_BYTES", 100_000)
    with pytest.raises(UserError):
        store([file("pets.zip", lying)])
    assert not stored()


@pytest.mark.parametrize(
    ("part", "kept"),
    [
        ("a:b?", "a-b-"),
        ("CON", "_CON"),
        ("lpt1.png", "_lpt1.png"),
        ("..", "_"),
        ("dots. ", "dots"),
        ("é", "é"),
    ],
)
def test_names_are_made_harmless(part: str, kept: str) -> None:
    assert unpacking.safe(part) == kept


def test_files_of_one_name_both_stay(runs: Path) -> None:
    kept = store([file("a.png", picture(1)), file("sub\\a.png", picture(2))])
    assert sorted(path.name for path in kept.folder.iterdir()) == ["a-2.png", "a.png"]
