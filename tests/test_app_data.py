"""The Data page: its numbers are those of the images, its pictures what a model will see, and what is chosen
on it is what the Train page asks for."""

from __future__ import annotations

import io
import os
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genlab.app.sets import downloads, overview
from genlab.app.sets.originals import SIDE, WIDE, pairs
from genlab.app.sets.overview import Overview, Seen
from genlab.app.sets.uploads import File, store, stored
from genlab.data import fetch
from genlab.data.catalogue import CATALOGUE
from genlab.data.pictures import decode
from genlab.data.source import load

from app_pages import keys, open_page, texts, where  # isort: skip

SIZES = {"cats": 9, "dogs & co": 4, "owls": 2}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures of 20×16 px, owls of 700×500, in three classes; one is there twice, one is broken."""
    rng = np.random.default_rng(0)
    root = tmp_path / "pets"
    for kind, number in SIZES.items():
        (root / kind).mkdir(parents=True)
        for i in range(number):
            pixels = rng.integers(0, 256, (16, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / kind / f"{i}.png")
    (root / "cats" / "1.png").write_bytes((root / "cats" / "0.png").read_bytes())
    for i in range(SIZES["owls"]):
        Image.fromarray(rng.integers(0, 256, (500, 700), dtype=np.uint8)).save(root / "owls" / f"{i}.png")
    (root / "owls" / "broken.png").write_bytes(b"\x89PNG and no more")
    return root


def of(seen: Seen) -> Overview:
    return overview.overview(seen, "")


def test_statistics_are_those_that_numpy_finds(folder: Path) -> None:
    found, dataset = of(Seen(str(folder), validation=0.2, seed=3)), load(str(folder), validation=0.2, seed=3)
    pixels = dataset.train.pixels
    assert found.splits == {split: len(images) for split, images in dataset.splits.items()}
    assert found.shape == pixels.shape[1:] == (3, 16, 16)
    assert found.class_names == tuple(SIZES)
    for split, images in dataset.splits.items():
        assert images.labels is not None
        for number, name in enumerate(SIZES):
            assert found.classes[split][name] == (images.labels == number).sum()
    for channel in range(3):
        counts, _ = np.histogram(pixels[:, channel], 256, (0, 256))
        assert np.array_equal(found.levels[channel], counts)
    assert np.allclose(found.mean, pixels.mean(0))
    assert found.looked == len(pixels)
    for number, name in enumerate(SIZES):
        assert np.array_equal(found.examples[name], pixels[dataset.train.labels == number])
    assert found.skipped == dataset.skipped
    assert found.skipped[0].startswith("owls/broken.png: ")
    assert found.repeated is not None
    assert len(found.repeated) == 1
    assert "cats/" in found.repeated[0]


def test_images_without_classes_and_named_sets_have_statistics_too(blots: Path) -> None:
    found = of(Seen(str(blots)))
    assert found.classes["train"] == {}
    assert list(found.examples) == [""]
    mnist = of(Seen("mnist"))
    assert mnist.splits == {"train": 60_000, "test": 10_000}
    assert mnist.classes["train"]["1"] == 6742
    assert mnist.levels.sum() == 60_000 * 28 * 28


def test_a_large_folder_is_counted_and_a_part_of_it_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "READ", 5)
    (folder / "owls" / "broken.png").unlink()
    found = overview.overview.__wrapped__(Seen(str(folder)), "")  # type: ignore[attr-defined]
    assert sum(found.splits.values()) == sum(SIZES.values())
    assert {name: sum(each[name] for each in found.classes.values()) for name in SIZES} == SIZES
    assert found.looked == 5
    assert found.repeated is None


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_what_the_model_sees_is_what_it_is_given(folder: Path, fit: str) -> None:
    seen = Seen(str(folder), 32, 1, fit)  # type: ignore[arg-type]
    found = {each.name: each for each in pairs(seen, 32, 1, "", of(Seen(str(folder))))}
    assert len({name.partition("/")[0] for name in found}) == 3  # of all classes
    for name, each in found.items():
        times = SIDE // 32
        given = decode(folder / name, 32, 1, fit)[0]  # type: ignore[arg-type]
        assert np.array_equal(pixels(each.model)[::times, ::times], given)
        assert each.seen == "32 × 32 px, grey"


def test_originals_are_enlarged_by_whole_pixels_or_made_smaller(folder: Path) -> None:
    found = {each.name: each for each in pairs(Seen(str(folder)), 16, 3, "", of(Seen(str(folder))))}
    large = next(each for name, each in found.items() if name.startswith("owls"))
    small = next(name for name in found if name.startswith("cats"))
    assert pixels(large.original).shape[1] == WIDE
    assert large.size == "700 × 500 px, shown at 46%"
    times = SIDE // 20
    original = np.asarray(Image.open(folder / small))
    assert np.array_equal(pixels(found[small].original)[::times, ::times], original)


def test_arrays_are_shown_as_they_are_saved(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 12, 30), dtype=np.uint8)
    path = tmp_path / "wide.npz"
    np.savez(path, images=images)
    seen = Seen(str(path), fit="pad")
    first = pairs(seen, 12, 1, "", of(Seen(str(path))))[0]
    assert first.size == "30 × 12 px, grey"
    times = SIDE // 12
    assert np.array_equal(
        pixels(first.model)[::times, ::times], load(str(path), fit="pad").train.pixels[0, 0]
    )


def test_the_page_shows_classes_and_goes_on_to_train(runs: Path, folder: Path) -> None:
    page = open_page("data", data=str(folder))
    said = texts(page).replace("\\", "")
    assert all(f"**{name}**" in said for name in SIZES)
    assert {each.label: each.value for each in page.metric}["to test with"] == "2"
    page.segmented_control(key="view").set_value("model").run()
    page.number_input(key="set-data.size").set_value(32).run()
    page.selectbox(key="set-data.channels").set_value(1).run()
    assert {each.label: each.value for each in page.metric}["pixels"] == "32 × 32"
    page.button(key="train-on").click().run()
    assert where(page) == "train"
    command = page.code[0].value
    assert str(folder) in command
    assert "data.size=32" in command
    assert "data.channels=1" in command


def test_the_statistics_are_drawn(runs: Path, folder: Path) -> None:
    page = open_page("data", data=str(folder), view="statistics")
    assert len(page.get("vega_lite_chart")) == 2
    assert "cats/" in page.warning[0].value.replace("\\", "")
    assert any("One file was left out" in each.label for each in page.expander)


@pytest.mark.parametrize(
    ("data", "said"), [("mnits", "did you mean mnist"), ("/no/such/folder", "There is no file or folder")]
)
def test_images_that_are_not_there_are_one_sentence(runs: Path, data: str, said: str) -> None:
    page = open_page("data", data=data)
    assert said in page.error[0].value.replace("\\", "")
    assert page.selectbox(key="images").value == data


def zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in folder.rglob("*.png"):
            archive.write(path, path.relative_to(folder.parent))
    return buffer.getvalue()


def test_an_upload_is_chosen_and_can_be_deleted(runs: Path, folder: Path) -> None:
    page = open_page("data")
    page.file_uploader[0].set_value(("pets.zip", zipped(folder), "application/zip")).run()
    assert not page.exception, [each.value for each in page.exception]
    (kept,) = (runs / ".uploads").iterdir()
    assert page.selectbox(key="images").value == str(kept)
    assert "but for one of its files" in page.success[0].value
    assert "dogs & co" in texts(page).replace("\\", "")
    page.button(key=f"delete-{kept.name}").click().run()
    assert kept.exists()
    assert "No run was trained on it" in texts(page)
    page.button(key=f"really-{kept.name}").click().run()
    assert not kept.exists()
    assert page.selectbox(key="images").value == "mnist"


def test_a_bad_upload_is_one_sentence_where_it_was_made(runs: Path) -> None:
    page = open_page("data")
    page.file_uploader[0].set_value(("pets.zip", b"no zip at all", "application/zip")).run()
    assert "pets.zip is no zip" in page.error[0].value.replace("\\", "")
    assert page.selectbox(key="images").value == "mnist"
    assert page.metric  # and the page is whole


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """No named set is on this machine, and what is downloaded is a command that says what it is told to."""
    monkeypatch.setattr(fetch, "on_this_machine", lambda entry: None)
    monkeypatch.setattr("genlab.app.sets.datasets.on_this_machine", lambda entry: None)

    def says(script: str) -> None:
        stand_in = tmp_path / "genlab-stand-in"
        stand_in.write_text(f"#!{sys.executable}\n{script}\n", "utf-8")
        stand_in.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(stand_in))

    return says


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a script")
def test_a_download_that_comes_to_nothing_ends_in_its_sentence(
    runs: Path, offline: Callable[[str], None]
) -> None:
    offline("import sys; sys.exit('genlab: kmnist is not on this machine and could not be downloaded')")
    page = open_page("data", data="kmnist")
    assert f"{CATALOGUE['kmnist'].megabytes} MB" in page.info[0].value
    assert page.button(key="train-on").disabled
    page.button(key="download").click().run()
    until = time.time() + 20
    while downloads.under_way(CATALOGUE["kmnist"]) and time.time() < until:
        time.sleep(0.05)
    page.run()
    assert "kmnist is not on this machine" in page.error[0].value
    assert "download" in keys(page)


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a script")
def test_a_download_can_be_stopped(runs: Path, offline: Callable[[str], None]) -> None:
    offline("import time; time.sleep(60)")
    page = open_page("data", data="kmnist")
    page.button(key="download").click().run()
    assert "of 22 MB" in str(page.get("progress")[0].proto)
    page.button(key="stop-download").click().run()
    until = time.time() + 20
    while downloads.under_way(CATALOGUE["kmnist"]) and time.time() < until:
        time.sleep(0.05)
    page.run()
    assert "download" in keys(page)
    assert not page.error


def test_two_uploads_of_one_name_are_told_apart(runs: Path, folder: Path) -> None:
    first = zipped(folder)
    (folder / "cats" / "2.png").unlink()
    for data in (first, zipped(folder)):
        store([File("pets.zip", io.BytesIO(data))])
    for upload in stored():
        page = open_page("data", data=upload.data)
        assert page.selectbox(key="images").value == upload.data
        assert upload.digest in str(page.selectbox(key="images").proto.raw_value)
