import hashlib
import lzma
import struct
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from genlab.data import load, mnist
from genlab.data.source import ahead
from genlab.recipes import recipe
from genlab.runs.store import create_run

ROOT = Path(__file__).resolve().parents[1]

# SHA-256 of the authors' files, uncompressed, headers included, as many places list them.
ORIGINALS = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def test_the_embedded_mnist_gives_back_the_original_files_bit_for_bit() -> None:
    mnist = load("mnist")
    found = {}
    for split, images in (("train", mnist.train), ("t10k", mnist.test)):
        assert images.labels is not None
        n, _, height, width = images.pixels.shape
        idx3 = struct.pack(">4I", 2051, n, height, width) + images.pixels.tobytes()
        idx1 = struct.pack(">2I", 2049, n) + images.labels.astype(np.uint8).tobytes()
        found[f"{split}-images-idx3-ubyte"] = hashlib.sha256(idx3).hexdigest()
        found[f"{split}-labels-idx1-ubyte"] = hashlib.sha256(idx1).hexdigest()
    assert found == ORIGINALS


def test_the_notice_lists_the_hashes_and_the_licence() -> None:
    notice = (ROOT / "src/genlab/data/embedded/NOTICE.md").read_text(encoding="utf-8")
    assert all(sha in notice for sha in ORIGINALS.values())
    assert "CC BY-SA 3.0" in notice


def test_mnist_is_what_everyone_expects() -> None:
    mnist = load("mnist")
    assert (len(mnist.train), len(mnist.test), mnist.shape) == (60_000, 10_000, (1, 28, 28))
    assert mnist.class_names == tuple("0123456789")
    assert mnist.train.labels is not None
    assert mnist.train.labels[:6].tolist() == [5, 0, 4, 1, 9, 2]


def test_writing_to_a_loaded_set_leaves_the_next_load_alone() -> None:
    first = load("mnist")
    first.train.pixels[:] = 0
    assert load("mnist").train.pixels.any()


def test_what_was_begun_ahead_is_found_and_not_unpacked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked: list[str] = []

    def counted(name: str) -> bytes:
        unpacked.append(threading.current_thread().name)
        return bytes(mnist.TRAIN + mnist.TEST) * (784 if name == "mnist-images.xz" else 1)

    monkeypatch.setattr(mnist, "_decode", cache(counted))
    monkeypatch.setattr(mnist, "_begun", [])
    ahead("shapes")
    assert unpacked == []
    ahead("mnist")
    ahead("stacked-mnist")
    assert not load("mnist").train.pixels.any()
    here = threading.current_thread().name
    assert [name == here for name in unpacked] == [False, True]  # the images there, the labels here


@pytest.mark.parametrize("arguments", [("train", "vae"), ("train", "--resume", "RUN"), ("demo",)])
def test_a_training_begins_to_unpack_before_it_imports_torch(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    run = create_run("vae", recipe("vae").model_dump(mode="json"), tmp_path / "run").path
    code = """if True:
        import sys
        from genlab.data import mnist
        mnist.ahead = lambda: sys.exit(3 if "torch" in sys.modules else 4)
        from genlab.cli import main
        main()
    """
    given = [str(run) if each == "RUN" else each for each in arguments]
    assert subprocess.run([sys.executable, "-c", code, *given], check=False, cwd=tmp_path).returncode == 4


def test_the_script_embeds_idx_files_without_loss(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    source, destination = tmp_path / "idx", tmp_path / "out"
    source.mkdir()
    destination.mkdir()
    pixels, labels = b"", b""
    for split, n in (("train", 5), ("t10k", 3)):
        images = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8).tobytes()
        (source / f"{split}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 2051, n, 28, 28) + images)
        (source / f"{split}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 2049, n) + bytes(range(n)))
        pixels, labels = pixels + images, labels + bytes(range(n))
    script = [sys.executable, str(ROOT / "scripts" / "embed-mnist"), str(source), str(destination)]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert lzma.decompress((destination / "mnist-images.xz").read_bytes()) == pixels
    assert lzma.decompress((destination / "mnist-labels.xz").read_bytes()) == labels
    assert hashlib.sha256(pixels[: 5 * 784]).hexdigest() in done.stdout
