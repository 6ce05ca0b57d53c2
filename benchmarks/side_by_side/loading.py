"""The peers' way to their images, written after torchvision (datasets/mnist.py, transforms/functional.py):
every image goes alone through Pillow, and a DataLoader stacks them. Pixels are those that ship with
genlab."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from genlab.beforehand import release_thread
from genlab.data.mnist import mnist

Transform = Callable[[Any], Any]


class Digits(Dataset[tuple[Tensor, int]]):
    """torchvision's MNIST: uint8 in memory, made a picture when asked for."""

    def __init__(self, transform: Transform) -> None:
        train = mnist().train
        assert train.labels is not None
        self.data = torch.from_numpy(train.pixels[:, 0])
        self.targets = torch.from_numpy(train.labels)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        picture, target = Image.fromarray(self.data[index].numpy()), int(self.targets[index])
        return self.transform(picture), target


class Compose:
    def __init__(self, *transforms: Transform) -> None:
        self.transforms = transforms

    def __call__(self, picture: Any) -> Any:
        for transform in self.transforms:
            picture = transform(picture)
        return picture


class Resize:
    """To `side` pixels by Pillow's bilinear filter; a picture of that size stays as it is."""

    def __init__(self, side: int) -> None:
        self.side = side

    def __call__(self, picture: Image.Image) -> Image.Image:
        if picture.size == (self.side, self.side):
            return picture
        return picture.resize((self.side, self.side), Image.Resampling.BILINEAR)


class ToTensor:
    """A picture -> (C, H, W) float32 in [0, 1]."""

    def __call__(self, picture: Image.Image) -> Tensor:
        pixels = torch.from_numpy(np.array(picture, np.uint8, copy=True))
        pixels = pixels.view(picture.size[1], picture.size[0], len(picture.getbands()))
        return pixels.permute((2, 0, 1)).contiguous().to(dtype=torch.get_default_dtype()).div(255)


class Normalize:
    """(x − mean) / deviation, channel by channel."""

    def __init__(self, mean: float, deviation: float) -> None:
        self.mean, self.deviation = [mean], [deviation]

    def __call__(self, pixels: Tensor) -> Tensor:
        pixels = pixels.clone()
        mean = torch.as_tensor(self.mean, dtype=pixels.dtype, device=pixels.device)
        deviation = torch.as_tensor(self.deviation, dtype=pixels.dtype, device=pixels.device)
        if (deviation == 0).any():
            raise ValueError("a deviation of 0")
        return pixels.sub_(mean.view(-1, 1, 1)).div_(deviation.view(-1, 1, 1))


def loader(batch: int, *transforms: Transform, workers: int = 0) -> DataLoader[tuple[Tensor, int]]:
    """Shuffled anew at each epoch, by `workers` processes beside the trainer. Under our settings those would
    inherit the trainer's one core, which no peer would have chosen: they may go anywhere."""
    return DataLoader(
        Digits(Compose(*transforms)), batch_size=batch, shuffle=True, num_workers=workers,
        worker_init_fn=freed,
    )  # fmt: skip


def freed(_worker: int) -> None:
    release_thread()
