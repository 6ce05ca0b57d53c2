"""Downloads, against a server on this machine."""

import gzip
import hashlib
import io
import re
import struct
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from genlab.data import downloaded, fetch, load
from genlab.data.catalogue import CATALOGUE, Entry, File
from genlab.data.listing import listing
from genlab.errors import UserError

CONTENT = bytes(range(256)) * 800
FILE = File("blob.bin", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


class Server:
    """Serves /good/…, answers /gone/… with 404, /wrong/… with other bytes, /endless/… without end, /torn/…
    with half of what it announces."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.files = {FILE.name: CONTENT}
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                _, kind, name = self.path.split("/")
                if kind == "gone":
                    return self.send_error(404)
                content = b"other bytes" if kind == "wrong" else server.files[name]
                self.send_response(200)
                if kind != "endless":
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if kind == "torn":
                    content = content[: len(content) // 2]
                try:
                    self.wfile.write(content)
                    while kind == "endless":
                        self.wfile.write(bytes(1 << 16))
                except OSError:
                    pass  # the other side has had enough
                return None

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def mirror(self, kind: str) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}/{kind}/"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, nothing in GENLAB_DATA, nothing installed by the system, no proxy."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(fetch, "cache_folder", lambda: folder)
    monkeypatch.delenv("GENLAB_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


def entry(server: Server, *kinds: str) -> Entry:
    mirrors = tuple(server.mirror(kind) for kind in kinds)
    return replace(CATALOGUE["kmnist"], name="blobs", files=(FILE,), mirrors=mirrors, folders=())


def test_a_file_is_downloaded_once(server: Server, cache: Path) -> None:
    blobs = entry(server, "good")
    path = fetch.obtain(blobs)[FILE.name]
    assert path == cache / "blobs" / FILE.name
    assert path.read_bytes() == CONTENT
    assert fetch.obtain(blobs) == {FILE.name: path}
    assert server.asked == ["/good/blob.bin"]


@pytest.mark.parametrize("first", ["gone", "wrong", "torn", "endless"])
def test_the_next_mirror_stands_in_for_a_bad_one(server: Server, cache: Path, first: str) -> None:
    path = fetch.obtain(entry(server, first, "good"))[FILE.name]
    assert path.read_bytes() == CONTENT
    assert server.asked == [f"/{first}/blob.bin", "/good/blob.bin"]
    assert [left.name for left in (cache / "blobs").iterdir()] == [FILE.name]


def test_a_mirror_that_is_down_is_passed_over(server: Server) -> None:
    blobs = entry(server, "good")
    down = "http://127.0.0.1:1/"
    assert fetch.obtain(replace(blobs, mirrors=(down, *blobs.mirrors)))[FILE.name].read_bytes() == CONTENT


def test_when_every_mirror_fails_one_sentence_says_what_to_put_where(server: Server, cache: Path) -> None:
    blobs = entry(server, "gone", "wrong", "endless")
    blobs = replace(blobs, mirrors=("http://127.0.0.1:1/", *blobs.mirrors))
    with pytest.raises(UserError) as caught:
        fetch.obtain(blobs)
    assert str(caught.value) == (
        "blobs is not on this machine and could not be downloaded (127.0.0.1 cannot be reached, "
        "127.0.0.1 answers 404, 127.0.0.1 sends a file with another SHA-256, "
        "127.0.0.1 sends far more than the file should hold): "
        f"put blob.bin from http://codh.rois.ac.jp/kmnist/ into {cache / 'blobs'}, or into the folder that "
        "GENLAB_DATA names."
    )
    assert list((cache / "blobs").iterdir()) == []


def test_a_damaged_file_in_the_cache_is_fetched_again(server: Server, cache: Path) -> None:
    path = cache / "blobs" / FILE.name
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(UserError, match=r"\(.*blob.bin is there but has another SHA-256 than it should\)"):
        fetch.obtain(entry(server, "gone"))
    assert fetch.obtain(entry(server, "good"))[FILE.name].read_bytes() == CONTENT


def test_a_cache_that_cannot_be_written_to_is_named(server: Server, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(UserError, match="cannot be written to"):
        fetch.obtain(entry(server, "good"))


@pytest.mark.parametrize("inside", ["", "blobs"])
def test_genlab_data_is_looked_through_first(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    folder = tmp_path / "mine" / inside
    folder.mkdir(parents=True)
    (folder / FILE.name).write_bytes(CONTENT)
    monkeypatch.setenv("GENLAB_DATA", str(tmp_path / "mine"))
    assert fetch.obtain(entry(server, "good"))[FILE.name] == folder / FILE.name
    assert server.asked == []


def test_files_of_the_system_count_with_their_own_sha256(server: Server, tmp_path: Path) -> None:
    other = b"the same images, compressed by someone else"
    (tmp_path / FILE.name).write_bytes(other)
    also = (hashlib.sha256(other).hexdigest(),)
    blobs = replace(entry(server), files=(replace(FILE, also=also),), folders=(str(tmp_path),))
    assert fetch.obtain(blobs)[FILE.name] == tmp_path / FILE.name


def test_the_listing_finds_what_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CATALOGUE:
        monkeypatch.setitem(CATALOGUE, name, replace(CATALOGUE[name], folders=()))
    where = {row.name: row.where for row in listing()}
    assert where["fashion-mnist"] == "to download: 31 MB (not tried yet by us)"
    for file in CATALOGUE["fashion-mnist"].files:
        (tmp_path / file.name).touch()
    monkeypatch.setenv("GENLAB_DATA", str(tmp_path))
    assert {row.name: row.where for row in listing()}["fashion-mnist"] == f"on this machine: {tmp_path}"


def idx_files(n: int, images: np.ndarray) -> tuple[bytes, bytes]:
    labels = struct.pack(">2I", 2049, n) + bytes(i % 10 for i in range(n))
    return gzip.compress(struct.pack(">4I", 2051, *images.shape) + images.tobytes()), gzip.compress(labels)


@pytest.mark.parametrize("name", ["fashion-mnist", "kmnist"])
def test_idx_sets_are_loaded_from_a_mirror(
    server: Server, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, 28, 28), dtype=np.uint8)
    for split in ("train", "t10k"):
        server.files[f"{split}-images-idx3-ubyte.gz"], labels = idx_files(12, images)
        server.files[f"{split}-labels-idx1-ubyte.gz"] = labels
    known = CATALOGUE[name]
    files = tuple(
        File(file.name, 0, hashlib.sha256(server.files[file.name]).hexdigest()) for file in known.files
    )
    served = replace(known, files=files, mirrors=(server.mirror("good"),), folders=())
    monkeypatch.setitem(CATALOGUE, name, served)
    dataset = load(name)
    assert np.array_equal(dataset.train.pixels[:, 0], images)
    assert dataset.class_names == known.class_names


def test_emnist_is_turned_upright_and_numbered_from_zero(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (26, 28, 28), dtype=np.uint8)
    labels = struct.pack(">2I", 2049, 26) + bytes(range(1, 27))
    path = tmp_path / "gzip.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for split in ("train", "test"):
            prefix = f"gzip/emnist-letters-{split}"
            archive.writestr(f"{prefix}-images-idx3-ubyte.gz", idx_files(26, images.transpose(0, 2, 1))[0])
            archive.writestr(f"{prefix}-labels-idx1-ubyte.gz", gzip.compress(labels))
    dataset = downloaded.read_emnist(path)
    assert np.array_equal(dataset.train.pixels[:, 0], images)
    assert dataset.train.labels is not None
    assert dataset.train.labels.tolist() == list(range(26))
    assert dataset.class_names[0] == "a"


def test_another_zip_is_not_emnist(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "gzip.zip", "w") as archive:
        archive.writestr("readme", b"")
    with pytest.raises(UserError, match="is not EMNIST's zip of idx files"):
        downloaded.read_emnist(tmp_path / "gzip.zip")


NAMES = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]


def cifar(path: Path, names: list[str], size: int = 30_730_000) -> Path:
    """A tar like CIFAR-10's in which record i of a file has the label i mod 10 and starts with the red value
    i."""
    records = np.zeros((10_000, 3073), np.uint8)
    records[:, 0] = np.arange(10_000) % 10
    records[:, 1] = np.arange(10_000) % 256
    records[:, 1 + 2048 :] = 7  # blue
    data = records.tobytes()[:size]
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name in names:
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_cifar_records_become_images(tmp_path: Path) -> None:
    dataset = downloaded.read_cifar10(cifar(tmp_path / "c.tar.gz", ["readme.html", *NAMES]))
    assert (len(dataset.train), len(dataset.test), dataset.shape) == (50_000, 10_000, (3, 32, 32))
    assert dataset.train.labels is not None
    assert dataset.train.labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert dataset.train.pixels[10_003, 0, 0, 0] == 3
    assert dataset.train.pixels[:, 2].min() == dataset.train.pixels[:, 2].max() == 7
    assert dataset.train.pixels[:, 1].max() == 0


@pytest.mark.parametrize(
    ("names", "size", "says"),
    [
        (NAMES[:-1], 30_730_000, "has no whole test_batch.bin"),
        (NAMES, 30_729_999, "has no whole data_batch_1.bin"),
    ],
)
def test_a_tar_that_lacks_something_says_what(tmp_path: Path, names: list[str], size: int, says: str) -> None:
    with pytest.raises(UserError, match=says):
        downloaded.read_cifar10(cifar(tmp_path / "c.tar.gz", names, size))


def test_a_torn_tar_and_no_tar_get_one_sentence(tmp_path: Path) -> None:
    path = cifar(tmp_path / "c.tar.gz", NAMES[:1])
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UserError, match="is damaged or no tar of CIFAR-10"):
        downloaded.read_cifar10(path)
    path.write_text("hello")
    with pytest.raises(UserError, match="is damaged or no tar of CIFAR-10"):
        downloaded.read_cifar10(path)


def test_an_oversized_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        info = tarfile.TarInfo("cifar-10-batches-bin/data_batch_1.bin")
        info.size = 31_000_000
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    with pytest.raises(UserError, match=re.escape("data_batch_1.bin has 31000000 bytes")):
        downloaded.read_cifar10(path)
