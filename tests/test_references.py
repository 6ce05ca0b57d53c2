"""References: computed once, the same from the disk, and never taken for another's."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from genlab.data import Dataset, Images, to_float
from genlab.evaluation.extractor import NetworkExtractor
from genlab.evaluation.feature_networks import random_extractor
from genlab.evaluation.references import References, chosen, references_for

SHAPE = (1, 8, 8)


def dataset(seed: int = 0, labelled: bool = True) -> Dataset:
    draw = np.random.default_rng(seed)
    train, test = (draw.integers(0, 256, (count, *SHAPE), np.uint8) for count in (90, 60))
    if not labelled:
        return Dataset("toy", Images(train), Images(test))
    train_labels, test_labels = draw.integers(0, 2, 90), draw.integers(0, 2, 60)
    return Dataset("toy", Images(train, train_labels), Images(test, test_labels), ("a", "b"))


class Counting(nn.Flatten):
    """Pixels as features, and how many images were looked at."""

    seen = 0

    def forward(self, images: Tensor) -> Tensor:
        self.seen += len(images)
        return super().forward(images)


def extractor(name: str = "pixels", head: nn.Module | None = None) -> tuple[NetworkExtractor, Counting]:
    network = Counting()
    names = () if head is None else tuple(map(str, range(64)))
    return NetworkExtractor(name, SHAPE, network, head, names), network


def same(a: References, b: References) -> bool:
    ours, theirs = (
        (r.train, r.own.test.features, r.test_nearest.indices, r.test_nearest.distances, r.bins.centres,
         r.bins.shares, r.test_sharpness, r.texture.test.features if r.texture else r.train)
        for r in (a, b)
    )  # fmt: skip
    return all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_they_hold_what_they_say() -> None:
    data = dataset()
    pixels, _ = extractor()
    found = references_for(data, pixels)
    test = to_float(torch.tensor(data.test.pixels)).flatten(1)
    assert torch.equal(found.own.test.features, test)
    assert torch.equal(found.test_images().flatten(1), test)
    assert found.count == 60
    assert found.train.shape == (90, 64)
    torch.testing.assert_close(found.own.moments.mean, test.double().mean(dim=0))
    nearest = found.train_images(found.test_nearest.indices).flatten(1)
    torch.testing.assert_close((nearest - test).norm(dim=1), found.test_nearest.distances)
    assert found.cells is not None
    assert data.train.labels is not None
    assert found.cells.tolist() == data.train.labels.tolist()
    assert references_for(dataset(labelled=False), pixels).cells is None


def test_two_networks_look_unless_they_are_one() -> None:
    pixels, _ = extractor()
    found = references_for(dataset(), pixels)
    assert found.texture is not None
    assert found.networks == {"own": "pixels", "texture": random_extractor(SHAPE).identity}
    alone = references_for(dataset(), random_extractor(SHAPE))
    assert alone.texture is None
    assert alone.networks == {"own": random_extractor(SHAPE).identity}


def test_the_second_time_they_come_from_the_disk(tmp_path: Path) -> None:
    for head in (None, nn.Identity()):
        network, count = extractor(head=head, name=f"pixels-{head is None}")
        first = references_for(dataset(), network, tmp_path)
        assert count.seen == 150
        assert same(references_for(dataset(), network, tmp_path), first)
        assert count.seen == 150


def test_other_data_and_other_networks_have_files_of_their_own(tmp_path: Path) -> None:
    pixels, count = extractor()
    references_for(dataset(), pixels, tmp_path)
    references_for(dataset(seed=1), pixels, tmp_path)
    assert count.seen == 300
    references_for(dataset(), extractor("others")[0], tmp_path)
    own = [path for path in tmp_path.iterdir() if "-own-" in path.name]
    assert len(own) == 3


def test_a_torn_file_is_made_again(tmp_path: Path) -> None:
    pixels, _ = extractor()
    whole = references_for(dataset(), pixels, tmp_path)
    for file in sorted(tmp_path.iterdir()):
        content = file.read_bytes()
        for torn in (b"", content[:100], content[:-1]):
            file.write_bytes(torn)
            assert same(references_for(dataset(), pixels, tmp_path), whole)
            assert file.read_bytes() == content
    assert all(path.suffix == ".safetensors" for path in tmp_path.iterdir())


def test_a_choice_is_fixed_and_without_repeats() -> None:
    some = chosen(1000, 100)
    assert torch.equal(some, chosen(1000, 100))
    assert len(set(some.tolist())) == 100
    assert chosen(50, 100).tolist() == list(range(50))
