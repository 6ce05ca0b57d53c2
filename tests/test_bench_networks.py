"""Both sides of a comparison train the published network: of its size, and computing the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from side_by_side import networks
from side_by_side.catalogue import NETWORKS
from side_by_side.loading import Normalize, Resize, ToTensor, loader
from side_by_side.meter import Done, Meter
from side_by_side.ours import EXPERIMENTS, norm, ours
from side_by_side.settings import environment
from side_by_side.written import WRITTEN, examples_dcgan
from torch import nn

from genlab.data.batches import to_float
from genlab.data.mnist import mnist
from genlab.networks.observation import Gaussian


def dense(*sizes: int) -> int:
    return sum(a * b + b for a, b in pairwise(sizes))


def conv(inputs: int, outputs: int, kernel: int, bias: bool = True) -> int:
    return inputs * outputs * kernel**2 + bias * outputs


def norms(*channels: int) -> int:
    return 2 * sum(channels)


GAN_G = dense(100, 128, 256, 512, 1024, 784) + norms(256, 512, 1024)
GAN_D = dense(784, 512, 256, 1)
DCGAN_G = dense(100, 8192) + conv(128, 128, 3) + conv(128, 64, 3) + conv(64, 1, 3) + norms(128, 128, 64)
DCGAN_D = conv(1, 16, 3) + conv(16, 32, 3) + conv(32, 64, 3) + conv(64, 128, 3) + norms(32, 64, 128) + 513
TRUNK = sum(conv(a, b, 4) + norms(b) for a, b in pairwise((1, 128, 256, 512, 1024)))
BACK = dense(16, 16384) + conv(1024, 512, 3) + conv(512, 256, 3) + conv(256, 1, 3) + norms(512, 256)
BY_HAND = {
    "examples-vae": dense(784, 400) + 2 * dense(400, 20) + dense(20, 400, 784),
    "pythae-mlp": dense(784, 512) + 2 * dense(512, 16) + dense(16, 512, 784),
    "pythae-conv": TRUNK + 2 * dense(1024, 16) + BACK,
    "pytorch-gan": GAN_G + GAN_D,
    "pytorch-gan-dcgan": DCGAN_G + DCGAN_D,
    # published for three channels; MNIST has one, at one edge of each network
    "examples-dcgan": 3_576_704 + 2_765_568 - 2 * (2 * 64 * 16),
}


def test_the_catalogue_has_the_published_sizes() -> None:
    assert {name: each.parameters for name, each in NETWORKS.items() if each.peer} == BY_HAND
    assert networks.count(networks.transposed_generator(networks.maps, channels=3)) == 3_576_704
    assert networks.count(networks.strided_discriminator(networks.maps, channels=3)) == 2_765_568
    assert networks.count(networks.dense_generator(networks.rows)) == 1_510_032 == GAN_G
    assert networks.count(networks.dense_discriminator()) == 533_505 == GAN_D


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_our_side_has_that_size_and_takes_a_step(name: str) -> None:
    side, state = ours(name, 4, limit=64)
    before = [parameter.clone() for parameter in state.model.parameters()]
    assert next(side.steps) == 4
    assert side.parameters == BY_HAND.get(name, side.parameters)
    moved = [not torch.equal(a, b) for a, b in zip(before, state.model.parameters(), strict=True)]
    assert all(moved), "every parameter takes part"


@pytest.mark.parametrize("name", WRITTEN)
def test_the_peer_has_that_size_and_takes_a_step(name: str) -> None:
    side = examples_dcgan(4, workers=0) if name == "examples-dcgan" else WRITTEN[name](4)
    assert next(side.steps) == 4
    assert next(side.steps) == 4
    assert side.parameters == BY_HAND[name]


Build = Callable[[networks.Norm], nn.Sequential]


@pytest.mark.parametrize(
    ("build", "theirs", "shape"),
    [
        (networks.dense_generator, networks.rows, (100,)),
        (networks.upsampling_generator, networks.maps, (100,)),
        (networks.dropout_discriminator, networks.maps, (1, 32, 32)),
        (networks.transposed_generator, networks.maps, (100,)),
        (networks.strided_discriminator, networks.maps, (1, 64, 64)),
        (networks.conv_trunk, networks.maps, (1, 28, 28)),
        (networks.conv_decoder, networks.maps, (16,)),
    ],
)  # fmt: skip
def test_with_the_same_weights_both_compute_the_same(
    build: Build, theirs: networks.Norm, shape: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    peer, our = build(theirs), build(norm)
    networks.deviate(peer)
    weights = {key: value for key, value in peer.state_dict().items() if "num_batches" not in key}
    our.load_state_dict(weights)
    x = torch.randn(4, *shape)
    torch.manual_seed(1)  # for what is dropped
    first = peer(x)
    torch.manual_seed(1)
    torch.testing.assert_close(our(x), first, rtol=1e-4, atol=1e-5)


def test_scales_deviate_as_published() -> None:
    torch.manual_seed(0)
    network = networks.strided_discriminator(norm)
    networks.deviate(network)
    weights = dict(network.named_parameters())
    assert float(weights["2.weight"].detach().std()) == pytest.approx(0.02, rel=0.05)
    assert float(weights["3.weight"].detach().mean()) == pytest.approx(1.0, abs=0.01)
    assert not weights["3.bias"].any()


def test_our_gaussian_is_their_mean_square() -> None:
    """½ Σ (x − x̂)² on [0, 1], but for a constant."""
    raw, images = torch.randn(2, 3, 1, 4, 4, dtype=torch.float64), torch.rand(3, 1, 4, 4).double() * 2 - 1
    observation = Gaussian(2.0)
    first, second = (observation.nll(each, images) for each in raw)
    squares = [0.5 * ((torch.tanh(each) - images) / 2).square().sum(dim=(1, 2, 3)) for each in raw]
    torch.testing.assert_close(first - second, squares[0] - squares[1])


def test_their_loader_brings_the_pixels_that_ours_does() -> None:
    batches = loader(60_000, Resize(28), ToTensor(), Normalize(0.5, 0.5))
    digits = batches.dataset
    train = mnist().train
    assert train.labels is not None
    image, label = digits[7]
    assert image.shape == (1, 28, 28)
    torch.testing.assert_close(image, to_float(torch.from_numpy(train.pixels[7])))
    assert label == train.labels[7]
    assert loader(1, Resize(64), ToTensor()).dataset[0][0].shape == (1, 64, 64)


def test_the_meter_counts_one_step_and_times_the_rest() -> None:
    a, b = torch.randn(8, 16), torch.randn(16, 4, requires_grad=True)
    ready: list[int] = []
    meter = Meter(seconds=0.0, warm_up=0.0, ready=lambda: ready.append(meter.steps))
    for _ in range(4):
        (a @ b).sum().backward()
        meter.step(8)
    (a @ b).sum().backward()
    with pytest.raises(Done):
        meter.step(5)
    assert meter.flops_per_image == (2 * 8 * 16 * 4) * 2 / 8, "forward, and back to the one that learns"
    assert (meter.images, meter.timed_steps) == (5, 1)
    assert meter.elapsed > 0
    assert ready == [2]


@pytest.mark.slow
@pytest.mark.parametrize("side", ["peer", "ours"])
def test_one_measurement_from_its_start_to_its_result(side: str) -> None:
    command = [sys.executable, "-m", "side_by_side.child", "examples-vae", side, "--seconds", "0.2"]
    printed = subprocess.run(
        [*command, "--batch", "16", "--threads", "1"], env=environment("plain"), check=True,
        capture_output=True, encoding="utf-8",
    ).stdout  # fmt: skip
    found = json.loads(printed.splitlines()[-1])
    assert found["parameters"] == BY_HAND["examples-vae"]
    assert found["images"] == 16 * found["steps"]
    assert found["elapsed"] >= 0.2
    weights = 784 * 400 * 2 + 400 * 20 * 3
    backward = 2 * weights - 784 * 400  # the images take no gradient
    assert found["flops_per_image"] == 2 * (weights + backward)
    assert found["gflops"] == pytest.approx(found["images_per_second"] * found["flops_per_image"] / 1e9)
    assert "left alone" in found["settings"]["threads"]
