import re
import subprocess
import sys

import pytest

from genlab.data.catalogue import CATALOGUE, Entry
from genlab.data.listing import listing

ENTRIES = list(CATALOGUE.values())


def test_the_catalogue_and_the_listing_import_no_tensors() -> None:
    code = "import sys, genlab.data.listing; print(sorted({'numpy', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_is_complete(entry: Entry) -> None:
    assert CATALOGUE[entry.name] is entry
    assert all((entry.title, entry.description, entry.licence, entry.source, entry.citation))
    assert len(set(entry.class_names)) == entry.classes
    if entry.obtained == "downloaded":
        assert entry.files
        assert entry.checksums
        assert len(entry.mirrors) >= 2
        assert all(
            mirror.startswith(("http://", "https://")) and mirror.endswith("/") for mirror in entry.mirrors
        )
        assert all(
            re.fullmatch("[0-9a-f]{64}", sha) for file in entry.files for sha in (file.sha256, *file.also)
        )
    else:
        assert not entry.files


def test_the_listing_says_what_and_where() -> None:
    rows = {row.name: row for row in listing()}
    assert rows.keys() == CATALOGUE.keys()
    mnist = rows["mnist"]
    assert (mnist.images, mnist.shape, mnist.classes, mnist.where) == (70_000, (1, 28, 28), 10, "shipped")
    assert rows["stacked-mnist"].where == "made from mnist by the seed"
