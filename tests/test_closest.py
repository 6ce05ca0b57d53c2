"""The picture of the closest pairs shows copies first, beside what they copy."""

import torch

from genlab.data import Dataset, Images, to_float
from genlab.evaluation.closest import closest_pairs
from genlab.evaluation.extractor import NetworkExtractor
from genlab.evaluation.references import references_for
from genlab.randomness import generator

SHAPE = (1, 8, 8)


def test_a_copy_stands_first_beside_its_original() -> None:
    pixels = torch.randint(0, 256, (90, *SHAPE), generator=generator(0, "test/closest"), dtype=torch.uint8)
    data = Dataset("noise", Images(pixels[:60].numpy()), Images(pixels[60:].numpy()))
    real = references_for(data, NetworkExtractor("pixels", SHAPE, torch.nn.Flatten(), None))
    samples = 2 * torch.rand(20, *SHAPE, generator=generator(1, "test/closest")) - 1
    samples[7] = to_float(pixels[31])
    pairs, distances = closest_pairs(samples, real, shown=4)
    assert pairs.shape == (8, *SHAPE)
    assert torch.equal(pairs[0], pairs[1])
    assert torch.equal(pairs[1], to_float(pixels[31]))
    assert distances[0] == 0
    assert bool((distances.diff() >= 0).all())
    assert float((pairs[2] - pairs[3]).norm()) > 0
