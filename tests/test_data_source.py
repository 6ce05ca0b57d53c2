from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genlab.data import load
from genlab.data.catalogue import CATALOGUE
from genlab.data.fitting import fitted, with_channels
from genlab.data.source import BUILDERS
from genlab.errors import UserError

BLOTS = np.random.default_rng(0).integers(0, 256, (30, 3, 24, 24), dtype=np.uint8)


def npz(path: Path, *shape: int) -> str:
    np.savez(path, images=np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    return str(path)


def test_every_name_of_the_catalogue_can_be_asked_for() -> None:
    assert BUILDERS.keys() == CATALOGUE.keys()


@pytest.mark.parametrize("name", ["mnist", "stacked-mnist", "shapes"])
def test_what_the_catalogue_says_is_what_one_gets(name: str) -> None:
    dataset, entry = load(name), CATALOGUE[name]
    assert (dataset.name, dataset.shape, dataset.class_names) == (name, entry.shape, entry.class_names)
    assert (len(dataset.train), len(dataset.test)) == (entry.train, entry.test)


def test_an_unknown_name_gets_the_nearest_and_all_the_others() -> None:
    with pytest.raises(UserError) as caught:
        load("Fashion_MNST")
    assert "(did you mean fashion-mnist?)" in str(caught.value)
    assert all(name in str(caught.value) for name in CATALOGUE)
    assert "path of a folder of images or of an .npz file" in str(caught.value)
    with pytest.raises(UserError, match="no data set named zebra, and no such"):
        load("zebra")


@pytest.mark.parametrize("path", ["there/is/nothing", "nothing.npz", "~/nothing-here"])
def test_a_path_that_leads_nowhere_is_called_a_path(path: str) -> None:
    with pytest.raises(UserError, match=f"There is no file or folder {path}: give one that is there"):
        load(path)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "set.csv").write_text("1,2,3")
    with pytest.raises(UserError, match=r"is a file but no \.npz: give an \.npz, a folder"):
        load(str(tmp_path / "set.csv"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"size": 7}, "the size asked for is 7 px: choose from 8 to 1024"),
        ({"size": 5000}, "choose from 8 to 1024"),
        ({"channels": 2}, "channels is 2: choose 1"),
        ({"fit": "stretch"}, "fit is 'stretch': choose crop or pad"),
        ({"limit": 1}, "limit is 1: at least 2"),
    ],
)
def test_options_out_of_range_get_one_sentence(options: dict[str, object], says: str) -> None:
    with pytest.raises(UserError, match=says):
        load("mnist", **options)  # type: ignore[arg-type]


def test_limit_is_a_seeded_subset_in_order_and_nested() -> None:
    whole = load("mnist")
    few, more, other = load("mnist", limit=50), load("mnist", limit=500), load("mnist", limit=50, seed=1)
    assert (len(few.train), len(few.test)) == (50, 50)
    order = {image.tobytes(): i for i, image in enumerate(whole.train.pixels)}
    places = [order[image.tobytes()] for image in few.train.pixels]
    assert places == sorted(places)
    assert {image.tobytes() for image in few.train.pixels} <= {image.tobytes() for image in more.train.pixels}
    assert few.digest() != other.digest()
    assert few.train.labels is not None
    assert whole.train.labels is not None
    assert few.train.labels.tolist() == whole.train.labels[places].tolist()


def test_digest_and_describe_say_which_data_it_is() -> None:
    some, same = load("mnist", limit=20), load("mnist", limit=20)
    assert some.digest() == same.digest()
    same.test.pixels[0, 0, 0, 0] ^= 1
    assert some.digest() != same.digest()
    assert some.describe() == {
        "name": "mnist",
        "train": 20,
        "validation": 0,
        "test": 20,
        "shape": [1, 28, 28],
        "classes": 10,
        "skipped": 0,
        "digest": some.digest(),
    }


def test_arrays_that_are_not_square_become_it(tmp_path: Path) -> None:
    assert load(npz(tmp_path / "wide.npz", 9, 20, 30)).shape == (1, 20, 20)
    assert load(npz(tmp_path / "wide.npz", 9, 20, 30, 3), size=16, fit="pad").shape == (3, 16, 16)


@pytest.mark.parametrize("size", [8, 17, 24, 60])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("given", [1, 3])
def test_any_size_and_channels_can_be_asked_for(size: int, channels: int, given: int) -> None:
    out = fitted(BLOTS[:, :given], size, channels, "crop", "blots")
    assert out.shape == (30, channels, size, size)
    assert out.dtype == np.uint8


def test_what_fits_already_is_untouched() -> None:
    assert np.array_equal(fitted(BLOTS, 24, 3, "crop", "blots"), BLOTS)


def test_resizing_agrees_with_pillow() -> None:
    soft = BLOTS[:1] // 4 + 96  # far from black and white, where Pillow clips twice and we once
    for size in (9, 16, 40):
        out = fitted(soft, size, 3, "crop", "blots")[0].transpose(1, 2, 0)
        image = Image.fromarray(soft[0].transpose(1, 2, 0)).resize((size, size), Image.Resampling.BICUBIC)
        assert np.abs(out.astype(int) - np.asarray(image)).max() <= 2


def test_grey_agrees_with_pillow_and_colour_repeats_grey() -> None:
    grey = with_channels(BLOTS, 1)
    expected = [np.asarray(Image.fromarray(blot.transpose(1, 2, 0)).convert("L")) for blot in BLOTS]
    assert np.array_equal(grey[:, 0], expected)
    colour = fitted(grey, 16, 3, "crop", "blots")
    assert np.array_equal(colour[:, 0], colour[:, 1])
    assert np.array_equal(colour[:, :1], fitted(grey, 16, 1, "crop", "blots"))


def test_crop_keeps_the_middle_and_pad_keeps_all() -> None:
    bar = np.zeros((2, 1, 8, 24), np.uint8)
    bar[..., 8:16] = 255
    assert fitted(bar, 8, 1, "crop", "bar").min() == 255
    padded = fitted(bar, 24, 1, "pad", "bar")
    assert np.array_equal(padded[:, :, 8:16], bar)
    assert padded.sum() == bar.sum(dtype=int)


def test_stacked_mnist_spells_its_labels_with_mnist_digits() -> None:
    stacked, mnist = load("stacked-mnist"), load("mnist")
    for images, digits in ((stacked.train, mnist.train), (stacked.test, mnist.test)):
        assert images.labels is not None
        assert digits.labels is not None
        label = {digit.tobytes(): int(name) for digit, name in zip(digits.pixels, digits.labels, strict=True)}
        for pixels, number in list(zip(images.pixels, images.labels, strict=True))[:200]:
            assert [label[plane.tobytes()] for plane in pixels] == [int(digit) for digit in f"{number:03d}"]
    assert stacked.train.labels is not None
    assert len(set(stacked.train.labels.tolist())) == 1000


def test_stacked_mnist_is_pinned_by_its_seed() -> None:
    assert load("stacked-mnist").digest() == "812431768e704afc"
    assert load("stacked-mnist", seed=1, limit=100).digest() != load("stacked-mnist", limit=100).digest()
