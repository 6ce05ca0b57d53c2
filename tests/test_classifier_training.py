"""Training the classifier: it learns, it repeats, and folding changes nothing."""

import pytest
import torch
from torch import Tensor

from genlab.evaluation.classifier import feature_network
from genlab.evaluation.classifier_training import (
    batch_indices,
    blur,
    flawed_images,
    folded,
    follow,
    moved,
    train_classifier,
)
from genlab.randomness import generator


def bars(count: int = 512) -> tuple[Tensor, Tensor]:
    """Upright and lying bars (N, 1, 8, 8) uint8 at random places, and which is which."""
    draw = generator(0, "test/bars")
    labels = torch.randint(0, 2, (count,), generator=draw)
    pixels = torch.zeros(count, 1, 8, 8, dtype=torch.uint8)
    for index, (label, at) in enumerate(
        zip(labels, torch.randint(2, 6, (count,), generator=draw), strict=True)
    ):
        pixels[(index, 0, slice(1, 7), at) if label else (index, 0, at, slice(1, 7))] = 255
    return pixels, labels


def test_it_learns_and_equal_seeds_give_equal_weights() -> None:
    pixels, labels = bars()
    seen: list[tuple[int, int, float]] = []
    before = torch.get_rng_state()
    network, head = train_classifier(
        pixels, labels, 2, epochs=10, seed=0, progress=lambda *now: seen.append(now)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert [step for step, _, _ in seen] == list(range(1, 41))
    right = head(network(pixels.float() / 127.5 - 1)).argmax(dim=1) == labels
    assert right.float().mean() > 0.95
    again, _ = train_classifier(pixels, labels, 2, epochs=10, seed=0)
    for ours, theirs in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(ours, theirs)
        assert not ours.requires_grad


def test_folding_leaves_the_function_as_it_was() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = feature_network((2, 9, 10), normalised=True)
        images = torch.randn(16, 2, 9, 10)
        network(images)  # running statistics that are not 0 and 1
    network.eval()
    expected = network(images)
    plain = folded(network)
    torch.testing.assert_close(plain(images), expected, atol=1e-5, rtol=1e-5)
    shapes = [tensor.shape for tensor in plain.state_dict().values()]
    assert shapes == [tensor.shape for tensor in feature_network((2, 9, 10)).state_dict().values()]


def test_every_epoch_shows_every_image_once() -> None:
    shown = torch.cat([batch_indices(512, 3, step) for step in range(4)])
    assert sorted(shown.tolist()) == list(range(512))
    assert not torch.equal(batch_indices(512, 3, 4), batch_indices(512, 3, 0))


def test_the_flaws_are_as_said() -> None:
    images = torch.rand(400, 1, 8, 8, generator=generator(0, "test/flaws")) * 2 - 1
    flawed, amounts = flawed_images(images, generator(1, "test/flaws"))
    assert amounts.shape == (400, 2)
    untouched = (amounts == 0).all(dim=1)
    assert untouched.float().mean() == pytest.approx(0.16, abs=0.06)
    assert torch.equal(flawed[untouched], images[untouched])
    only_blurred = (amounts[:, 1] == 0) & ~untouched
    expected = torch.lerp(images, blur(images), amounts[:, 0, None, None, None])
    torch.testing.assert_close(flawed[only_blurred], expected[only_blurred])


def test_blur_is_the_mean_of_nine() -> None:
    image = torch.arange(25.0).view(1, 1, 5, 5)
    assert float(blur(image)[0, 0, 2, 2]) == pytest.approx(float(image[0, 0, 1:4, 1:4].mean()))
    assert blur(torch.ones(2, 3, 4, 5)).unique().tolist() == [1]


def test_moving_keeps_the_background_black_and_the_picture_in_sight() -> None:
    images = torch.full((50, 1, 28, 28), -1.0)
    images[:, :, 10:18, 10:18] = 1
    after = moved(images, generator(0, "test/moved"))
    assert float(after.min()) == pytest.approx(-1, abs=1e-5)
    ink = (after + 1).sum(dim=(1, 2, 3)) / (images + 1).sum(dim=(1, 2, 3))
    assert bool(((ink > 0.7) & (ink < 1.4)).all())
    assert float((after - images).abs().amax()) > 1


def test_the_average_follows_weights_and_copies_counts() -> None:
    ours, theirs = torch.nn.BatchNorm1d(2), torch.nn.BatchNorm1d(2)
    theirs(torch.full((4, 2), 3.0))
    with torch.no_grad():
        theirs.weight.fill_(2)
    follow(ours, theirs, 0.75)
    assert ours.weight.tolist() == [1.25, 1.25]
    assert ours.num_batches_tracked == 1
