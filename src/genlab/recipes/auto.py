"""Of any family: its recipe, fitted to the images and their number, the device and the time there is.

    genlab train gan --recipe auto --data my-photos/ --seconds 600

What --set and other options say stands above what is chosen. Each choice is one line with its reason; one
that no training of ours stands behind yet says so.
"""

from __future__ import annotations

from typing import NamedTuple

SECONDS = 60.0  # of training, where nobody says
LONG = 300.0  # seconds from which on a run has steps enough for a longer average
LARGE = 48  # px a side from which on images are large
FEW = 2000  # training images up to which they are few
UNTRIED = "; not measured by us yet"


class Chosen(NamedTuple):
    """A field of the config, its value as `--set` takes it, and why."""

    key: str
    value: str
    why: str

    @property
    def assignment(self) -> str:
        return f"{self.key}={self.value}"


def chosen(
    family: str,
    shape: tuple[int, int, int],
    device: str,
    seconds: float,
    *,
    bf16: bool = False,
    compiler: bool = False,
    inherits: bool = False,
    images: int | None = None,
) -> list[Chosen]:
    """What to set in the recipe of `family` for images of `shape` (C, H, W) on `device`, with `seconds` to
    train. `bf16`, `compiler`: whether the device has them. `inherits`: the decoder comes from another run,
    and is as it is. `images`: how many there are to learn from; needed only where `counts` says so."""
    gpu, large, colour = device.startswith("cuda"), max(shape[1:]) >= LARGE, shape[0] > 1
    width = 64 if gpu else 16
    found = [Chosen("training.device", device, "a GPU where PyTorch finds one")]
    if not inherits:
        found.append(wide(width, gpu))
        found.append(deep(large, colour))
    if family == "gan":
        found.append(Chosen("network.discriminator.width", str(width), "as many as the generator has"))
    if family == "vaegan":
        found.append(
            Chosen("network.discriminator.width", str(width + width // 2), "half as many channels again")
        )
    if gpu:
        found.append(Chosen("training.batch_size", "256", f"a GPU waits for work at small batches{UNTRIED}"))
    if seconds >= LONG:
        found.append(Chosen("training.ema", "0.999", "there are steps enough for a longer average"))
    if seconds >= LONG and family == "vae":
        found.append(Chosen("network.decoder.depth", "2", "with minutes, samples from N(0, I) gain by it"))
        found.append(Chosen("network.encoder.depth", "2", "and more by an encoder of two layers"))
        found.append(Chosen("network.encoder.norm", "batch", "or a fitted prior loses by it"))
    if seconds >= LONG and family == "gan":
        found.append(Chosen("optimizer.final", "0", "and for a rate that falls to nothing"))
        found.append(
            Chosen("optimizer.discriminator_rate", "5e-4", "the slower it learns, the longer it can teach")
        )
    if counts(family, seconds) and images is not None and images <= FEW:
        found.append(
            Chosen("objective.augment", "translation", "without it 1,000 images were learned by heart")
        )
    if gpu and bf16:
        found.append(Chosen("training.precision", "bf16", f"half the bytes of float32{UNTRIED}"))
    if gpu and compiler:
        found.append(
            Chosen("training.compile", "true", f"small networks wait for launches otherwise{UNTRIED}")
        )
    return found


def counts(family: str, seconds: float) -> bool:
    """Whether it matters how many images there are."""
    return family == "gan" and seconds >= LONG


def wide(width: int, gpu: bool) -> Chosen:
    """Channels at half the resolution. On two cores 32 were no better than 16, after one minute or five."""
    why = f"a GPU has room for them{UNTRIED}" if gpu else "more are slower, and no better within minutes"
    return Chosen("network.decoder.width", str(width), why)


def deep(large: bool, colour: bool) -> Chosen:
    """Dimensions of z."""
    if large:
        return Chosen("network.latent_dim", "128", "with them a GAN of 64 px came nearer in two minutes")
    if colour:
        return Chosen("network.latent_dim", "64", f"colours are to be said, too{UNTRIED}")
    return Chosen("network.latent_dim", "32", "what the default recipes were searched with")
