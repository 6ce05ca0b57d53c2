"""The networks that are compared, what their authors say of them, and what we are to reach. Without torch."""

from __future__ import annotations

from typing import NamedTuple


class Network(NamedTuple):
    """`batch` and all else as published; `parameters` are those of both sides, counted by hand in the tests.

    `peer` says how the peer comes to run; "" where there is none, and only the share of the peak is asked
    for. `package`: the peer is an installed package, in an environment of its own. `goal`: images a second
    of ours for one of the peer's; `compiled_goal` with --compile.
    """

    label: str
    batch: int
    parameters: int
    peer: str = ""
    package: bool = False
    goal: float | None = None
    compiled_goal: float | None = None


PYTHAE = "pythae 0.1.2, through its TrainingPipeline"

NETWORKS: dict[str, Network] = {
    "examples-vae": Network(
        "pytorch/examples vae", 128, 652_824, "written after vae/main.py and torchvision's loader",
        goal=3.0, compiled_goal=4.5,
    ),
    "pythae-mlp": Network("pythae MLP VAE", 64, 829_232, PYTHAE, True, 2.0),
    "pythae-conv": Network("pythae conv VAE", 64, 17_232_033, PYTHAE, True, 1.3),
    "pytorch-gan": Network(
        "PyTorch-GAN gan.py", 64, 2_043_537, "written after its source and torchvision's loader",
        goal=2.5,
    ),
    "pytorch-gan-dcgan": Network(
        "PyTorch-GAN dcgan.py", 64, 1_148_098,
        "written after its source and torchvision's loader", goal=2.3,
    ),
    "examples-dcgan": Network(
        "pytorch/examples dcgan", 64, 6_338_176, "written after dcgan/main.py and torchvision's loader",
        goal=1.8,
    ),
    "recipe-vae": Network("our recipe vae", 256, 0),
    "recipe-gan": Network("our recipe gan", 64, 0),
}  # fmt: skip

PEAK_GOAL = 0.75  # of the GEMM peak, by our own recipes
SETTINGS = {
    "ours": "threads bound to cores, freed memory kept",
    "plain": "threads and allocator as the system has them",
}
