from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from genlab.nn.norms import BatchNorm, SpectralNorm, commit, frozen, has_batch_statistics, norm, spectral_norm


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(16, 3), (8, 3, 5, 4)])
def test_batch_norm_is_torch_s(shape: tuple[int, ...]) -> None:
    ours = BatchNorm(3)
    theirs: nn.Module = nn.BatchNorm1d(3) if len(shape) == 2 else nn.BatchNorm2d(3)
    for seed in range(3):
        x = 3 * noise(*shape, seed=seed) + 1
        assert torch.allclose(ours(x), theirs(x), atol=1e-6)
        commit(ours)
        assert torch.allclose(ours.running_mean, theirs.get_buffer("running_mean"), atol=1e-6)
        assert torch.allclose(ours.running_var, theirs.get_buffer("running_var"), atol=1e-6)
    ours.eval(), theirs.eval()
    x = noise(*shape, seed=9)
    assert torch.allclose(ours(x), theirs(x), atol=1e-6)


def test_batch_norm_s_gradients_are_torch_s() -> None:
    ours, theirs = BatchNorm(3), nn.BatchNorm1d(3)
    x, target = noise(16, 3), noise(16, 3, seed=1)
    for layer in (ours, theirs):
        (layer(x) - target).square().sum().backward()
    assert torch.allclose(ours.weight.grad, theirs.weight.grad, atol=1e-4)  # type: ignore[arg-type]
    assert torch.allclose(ours.bias.grad, theirs.bias.grad, atol=1e-4)  # type: ignore[arg-type]


def test_statistics_wait_for_the_commit_and_average_what_was_seen() -> None:
    layer = BatchNorm(2)
    first, second = noise(8, 2) + 4, noise(8, 2, seed=1) - 1
    layer(first), layer(second)
    assert layer.running_mean.tolist() == [0, 0]
    commit(layer)
    expected = 0.1 * (first.mean(dim=0) + second.mean(dim=0)) / 2
    assert torch.allclose(layer.running_mean, expected, atol=1e-6)
    commit(layer)
    assert torch.allclose(layer.running_mean, expected, atol=1e-6), "a second commit has nothing to write"


def test_evaluation_notes_nothing() -> None:
    layer = BatchNorm(2).eval()
    layer(noise(8, 2) + 4)
    commit(layer)
    assert layer.running_mean.tolist() == [0, 0]


def test_frozen_lets_gradients_through_and_not_in() -> None:
    net = nn.Sequential(nn.Linear(3, 4), BatchNorm(4), spectral_norm(nn.Linear(4, 2)))
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    x = noise(8, 3).requires_grad_()
    with frozen(net):
        net(x).square().sum().backward()
    commit(net)
    assert x.grad is not None
    assert all(parameter.grad is None for parameter in net.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert all(parameter.requires_grad for parameter in net.parameters())
    net(x)
    commit(net)
    assert not torch.equal(net.state_dict()["1.running_mean"], before["1.running_mean"]), "it notes again"


def test_frozen_normalises_as_training_does() -> None:
    """Frozen is not evaluation: the other player sees the discriminator that it plays against."""
    layer, x = BatchNorm(3), noise(8, 3) + 2
    with frozen(layer):
        assert torch.allclose(layer(x), BatchNorm(3)(x))


def test_frozen_restores_after_an_error_and_leaves_the_frozen_frozen() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[0].requires_grad_(False)

    def fail() -> None:
        with frozen(net):
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert [p.requires_grad for p in net.parameters()] == [False, False, True, True]


def test_frozen_within_frozen() -> None:
    layer = BatchNorm(2)
    with frozen(layer):
        with frozen(layer):
            pass
        assert not layer.noting
        assert not layer.weight.requires_grad
    assert layer.noting


def rescaled(layer: nn.Module) -> SpectralNorm:
    parametrized = layer.get_submodule("parametrizations.weight.0")
    assert isinstance(parametrized, SpectralNorm)
    return parametrized


@pytest.mark.parametrize("layer", [nn.Linear(6, 4), nn.Conv2d(3, 5, 3)])
def test_the_spectral_norm_converges_to_the_largest_singular_value(layer: nn.Module) -> None:
    torch.manual_seed(0)
    layer.reset_parameters()  # type: ignore[operator]
    raw = layer.get_parameter("weight").detach().clone()
    spectral_norm(layer)
    for _ in range(200):
        _ = layer.weight  # looked at once an update
        commit(layer)
    weight = layer.weight
    assert isinstance(weight, Tensor)
    largest = torch.linalg.matrix_norm(raw.flatten(start_dim=1), ord=2)
    assert torch.allclose(weight, raw / largest, atol=1e-5)
    assert torch.linalg.matrix_norm(weight.flatten(start_dim=1), ord=2).item() == pytest.approx(1, abs=1e-5)


def test_the_power_iteration_moves_once_an_update() -> None:
    torch.manual_seed(0)
    layer = spectral_norm(nn.Linear(6, 4))
    matrix, tracked = rescaled(layer), layer.get_parameter("parametrizations.weight.original").detach()
    v = matrix.v.clone()
    for _ in range(3):  # three looks, one update
        _ = layer.weight
    assert torch.equal(matrix.v, v)
    commit(layer)
    u = nn.functional.normalize(tracked @ v, dim=0)
    assert torch.allclose(matrix.u, u, atol=1e-6)
    assert torch.allclose(matrix.v, nn.functional.normalize(tracked.T @ u, dim=0), atol=1e-6)


def test_evaluation_does_not_iterate() -> None:
    layer = spectral_norm(nn.Linear(6, 4)).eval()
    v = rescaled(layer).v.clone()
    _ = layer.weight
    commit(layer)
    assert torch.equal(rescaled(layer).v, v)


@pytest.mark.parametrize("channels", [1, 2, 6, 8, 12, 13])
def test_group_norm_divides_any_number_of_channels(channels: int) -> None:
    assert norm("group", channels)(noise(2, channels, 3, 3)).shape == (2, channels, 3, 3)


def test_norms_by_name() -> None:
    assert isinstance(norm("none", 3), nn.Identity)
    assert has_batch_statistics(nn.Sequential(nn.Linear(2, 2), norm("batch", 2)))
    assert not has_batch_statistics(nn.Sequential(norm("group", 2), norm("none", 2)))
    with pytest.raises(AssertionError, match="instance"):
        norm("instance", 3)
