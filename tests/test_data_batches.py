import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genlab.data import Batches, Images, to_float, to_uint8


def numbered(n: int, labels: bool = True) -> Images:
    """n images of 2×2, each of which shows its own number, with that number as its label."""
    pixels = torch.arange(n, dtype=torch.uint8).reshape(n, 1, 1, 1).expand(n, 1, 2, 2).contiguous().numpy()
    return Images(pixels, torch.arange(n).numpy() if labels else None)


def test_the_two_conversions_are_inverse_on_every_level() -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    images = to_float(levels)
    assert images.dtype == torch.float32
    assert (images[0].item(), images[-1].item()) == (-1.0, 1.0)
    assert torch.equal(to_uint8(images), levels)


def test_to_uint8_rounds_and_clips() -> None:
    step = 2 / 255
    images = torch.tensor([-7.0, -1.0 + 0.4 * step, -1.0 + 0.6 * step, 1.0 - 0.4 * step, 3.0])
    assert to_uint8(images).tolist() == [0, 0, 1, 255, 255]
    assert to_uint8(images.double()).dtype == torch.uint8


def test_to_uint8_leaves_its_argument_alone() -> None:
    images = torch.zeros(3)
    to_uint8(images)
    assert images.tolist() == [0.0, 0.0, 0.0]


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 40), batch_size=st.integers(1, 60), seed=st.integers(0, 2**40))
def test_every_epoch_shows_every_image_exactly_once(n: int, batch_size: int, seed: int) -> None:
    batches = Batches(numbered(n), batch_size, seed)
    steps = -(-3 * n // batch_size)
    seen = torch.cat([batches.index(step) for step in range(steps)])
    for epoch in range(3):
        assert sorted(seen[epoch * n : (epoch + 1) * n].tolist()) == list(range(n))
    assert all(len(batches.index(step)) == batch_size for step in range(steps))


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 40), batch_size=st.integers(1, 60), order=st.permutations(range(12)))
def test_a_batch_depends_on_seed_and_step_alone(n: int, batch_size: int, order: list[int]) -> None:
    forward = Batches(numbered(n), batch_size, seed=3)
    expected = [forward(step).images for step in range(12)]
    shuffled = Batches(numbered(n), batch_size, seed=3)
    assert all(torch.equal(shuffled(step).images, expected[step]) for step in order)


def test_the_resident_copy_does_not_follow_the_callers_array() -> None:
    images = numbered(10)
    batches = Batches(images, 10, seed=0)
    images.pixels[:] = 0
    assert batches(0).images.std() > 0


def test_a_batch_has_images_in_range_with_their_labels() -> None:
    batches = Batches(numbered(200), batch_size=50, seed=1)
    batch = batches(7)
    assert (len(batch), batch.step, batch.images.shape) == (50, 7, (50, 1, 2, 2))
    assert batch.images.dtype == torch.float32
    assert batch.labels is not None
    assert torch.equal(to_uint8(batch.images)[:, 0, 0, 0].long(), batch.labels)
    assert len(batches) == 200
    assert batches.labels is not None
    assert batches.labels.tolist() == list(range(200))


def test_images_without_labels_give_batches_without_labels() -> None:
    batches = Batches(numbered(20, labels=False), batch_size=5, seed=1)
    assert batches.labels is None
    assert batches(0).labels is None


def test_epochs_and_seeds_differ() -> None:
    batches = Batches(numbered(100), batch_size=100, seed=0)
    assert not torch.equal(batches.index(0), batches.index(1))
    assert not torch.equal(batches.index(0), Batches(numbered(100), 100, seed=1).index(0))


def test_batches_draw_nothing_from_the_global_generator() -> None:
    before = torch.random.get_rng_state()
    Batches(numbered(100), batch_size=10, seed=0)(3)
    assert torch.equal(before, torch.random.get_rng_state())


def test_images_refuse_what_is_not_uint8() -> None:
    with pytest.raises(AssertionError, match="not uint8"):
        Images(torch.zeros(2, 1, 8, 8).numpy())


def test_binarised_batches_are_drawn_anew_at_each_step_and_the_same_again() -> None:
    images = Images(torch.full((4, 1, 8, 8), 64, dtype=torch.uint8).numpy())
    batches, again = Batches(images, 4, seed=3, binarise=True), Batches(images, 4, seed=3, binarise=True)
    first, second = batches(0).images, batches(1).images
    assert set(first.unique().tolist()) == {-1.0, 1.0}
    assert not torch.equal(first, second)
    assert torch.equal(again(1).images, second)
    white = torch.stack([batches(step).images for step in range(200)]).add(1).div(2).mean()
    assert white.item() == pytest.approx(64 / 255, abs=0.01)


def test_black_and_white_pixels_stay_what_they_are() -> None:
    images = Images((torch.arange(64, dtype=torch.uint8).view(1, 1, 8, 8) % 2 * 255).numpy())
    plain, drawn = Batches(images, 1, seed=0), Batches(images, 1, seed=0, binarise=True)
    assert torch.equal(plain(0).images, drawn(0).images)
