"""The data sets that have a name: what they are, whose they are, where they come from.

Literal and light: reading it imports neither numpy nor torch. An SHA-256 here was published by someone else,
who is named beside it, or computed from files that are named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TFDS = "TensorFlow Datasets 4, tensorflow_datasets/url_checksums/"
# The Internet Archive's copy of the address that follows, byte for byte.
ARCHIVED = "https://web.archive.org/web/2023id_/"


@dataclass(frozen=True)
class File:
    """A file to download: its name at every mirror, its size in bytes, the SHA-256 of its bytes.

    `also`: SHA-256 of other files with the same content that may be found on a machine."""

    name: str
    size: int
    sha256: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One named data set. `shape` is (C, H, W); `mirrors` are the folders that hold every one of `files`,
    each ending in a slash; `tried` says whether a download from them was ever tried with this catalogue."""

    name: str
    title: str
    description: str
    shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    train: int
    test: int
    licence: str
    source: str
    citation: str
    obtained: Literal["shipped", "made", "downloaded"]
    files: tuple[File, ...] = ()
    mirrors: tuple[str, ...] = ()
    checksums: str = ""
    folders: tuple[str, ...] = ()
    tried: bool = True

    @property
    def classes(self) -> int:
        """How many classes the labels tell apart."""
        return len(self.class_names)

    @property
    def megabytes(self) -> int:
        """What a download brings, in units of 10⁶ bytes, rounded up."""
        return -(-sum(file.size for file in self.files) // 10**6)


_DIGITS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")

CATALOGUE: dict[str, Entry] = {
    "mnist": Entry(
        name="mnist",
        title="MNIST",
        description="Handwritten digits, grey, centred. The first set to try anything on.",
        shape=(1, 28, 28),
        class_names=_DIGITS,
        train=60_000,
        test=10_000,
        licence="CC BY-SA 3.0, as commonly stated",
        source="http://yann.lecun.com/exdb/mnist/",
        citation="Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits, 1998",
        obtained="shipped",
    ),
    "stacked-mnist": Entry(
        name="stacked-mnist",
        title="Stacked MNIST",
        description="Three random MNIST digits as red, green and blue: 1 000 modes that can be counted.",
        shape=(3, 28, 28),
        class_names=tuple(f"{number:03d}" for number in range(1000)),
        train=60_000,
        test=10_000,
        licence="CC BY-SA 3.0, as MNIST",
        source="made from mnist by the seed",
        citation="L. Metz et al., Unrolled generative adversarial networks, ICLR 2017, section 3.3.1",
        obtained="made",
    ),
    "shapes": Entry(
        name="shapes",
        title="Shapes",
        description="Discs, squares and triangles in colour, of any hue, size, place and turn.",
        shape=(3, 64, 64),
        class_names=("disc", "square", "triangle"),
        train=10_000,
        test=2_000,
        licence="MIT, as genlab",
        source="made by the seed",
        citation="genlab, data/shapes.py, in the manner of L. Matthey et al., dSprites, 2017",
        obtained="made",
    ),
    "fashion-mnist": Entry(
        name="fashion-mnist",
        title="Fashion-MNIST",
        description="Pictures of clothes in the shape of MNIST: harder, and greyer.",
        shape=(1, 28, 28),
        class_names=(
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
            "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
        ),
        train=60_000,
        test=10_000,
        licence="MIT, © 2017 Zalando SE",
        source="https://github.com/zalandoresearch/fashion-mnist",
        citation="H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, arXiv:1708.07747, 2017",
        obtained="downloaded",
        files=(
            File(
                "train-images-idx3-ubyte.gz",
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                ("b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",),
            ),
            File(
                "train-labels-idx1-ubyte.gz",
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                ("0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",),
            ),
            File(
                "t10k-images-idx3-ubyte.gz",
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                ("cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",),
            ),
            File(
                "t10k-labels-idx1-ubyte.gz",
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                ("8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",),
            ),
        ),
        mirrors=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        ),
        checksums=TFDS + "fashion_mnist.txt, and Keras 3, datasets/fashion_mnist.py; the others computed "
        "from Debian's dataset-fashion-mnist 0.0~git20200523.55506a9-1",
        folders=("/usr/share/datasets/fashion-mnist",),
        tried=False,
    ),
    "kmnist": Entry(
        name="kmnist",
        title="Kuzushiji-MNIST",
        description="Ten cursive Japanese characters in the shape of MNIST: several ways to write each.",
        shape=(1, 28, 28),
        class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        train=60_000,
        test=10_000,
        licence="CC BY-SA 4.0, “KMNIST Dataset” (CODH), adapted from “Kuzushiji Dataset” (NIJL and others)",
        source="http://codh.rois.ac.jp/kmnist/",
        citation="T. Clanuwat et al., Deep learning for classical Japanese literature, arXiv:1812.01718",
        obtained="downloaded",
        files=(
            File(
                "train-images-idx3-ubyte.gz",
                18_165_135,
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            ),
            File(
                "train-labels-idx1-ubyte.gz",
                29_497,
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            ),
            File(
                "t10k-images-idx3-ubyte.gz",
                3_041_136,
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            ),
            File(
                "t10k-labels-idx1-ubyte.gz",
                5_120,
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            ),
        ),
        mirrors=(
            "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            ARCHIVED + "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        ),
        checksums=TFDS + "kmnist.txt",
        tried=False,
    ),
    "emnist": Entry(
        name="emnist",
        title="EMNIST letters",
        description="Handwritten letters, upper and lower case under one label: the “letters” split.",
        shape=(1, 28, 28),
        class_names=tuple("abcdefghijklmnopqrstuvwxyz"),
        train=124_800,
        test=20_800,
        licence="none stated; made from NIST Special Database 19, a work of the United States government",
        source="https://www.nist.gov/itl/products-and-services/emnist-dataset",
        citation="G. Cohen et al., EMNIST: an extension of MNIST to letters, arXiv:1702.05373, 2017",
        obtained="downloaded",
        files=(
            File(
                "gzip.zip",
                561_753_746,
                "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
            ),
        ),
        mirrors=(
            "https://biometrics.nist.gov/cs_links/EMNIST/",
            "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/",
        ),
        checksums=TFDS + "emnist.txt",
        tried=False,
    ),
    "cifar10": Entry(
        name="cifar10",
        title="CIFAR-10",
        description="Small colour photographs of ten kinds of things.",
        shape=(3, 32, 32),
        class_names=(
            "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
        ),
        train=50_000,
        test=10_000,
        licence="no licence stated; the authors ask to cite their report",
        source="https://www.cs.toronto.edu/~kriz/cifar.html",
        citation="A. Krizhevsky, Learning multiple layers of features from tiny images, 2009",
        obtained="downloaded",
        files=(
            File(
                "cifar-10-binary.tar.gz",
                170_052_171,
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
        ),
        mirrors=(
            "https://www.cs.toronto.edu/~kriz/",
            "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
            ARCHIVED + "https://www.cs.toronto.edu/~kriz/",
        ),
        checksums=TFDS + "cifar10.txt",
        tried=False,
    ),
}  # fmt: skip
