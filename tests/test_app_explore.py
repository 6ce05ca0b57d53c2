"""Explore: directions that lose nothing of z, what the browser is sent, and a server that answers for it."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image

from genlab.app import entries, models
from genlab.app.exploring import directions, packet, pad
from genlab.app.exploring.directions import Basis
from genlab.data.batches import to_float, to_uint8
from genlab.errors import UserError
from genlab.experiment import runner
from genlab.runs.store import Run

from app_pages import open_page, texts  # isort: skip
from conftest import Tiny

CODES = np.random.default_rng(0).standard_normal((200, 6)) * np.array([0.1, 2.0, 0.5, 1.0, 1.5, 0.2])
BASES = {
    "coordinates": directions.coordinates(6, CODES, 3, 0),
    "without codes": directions.coordinates(6, None, 0, 1),
    "components": directions.components(CODES),
    "between": directions.between(CODES, CODES[:3], ("a", "b", "c")),
    "chance": directions.by_chance(6, CODES, 7),
}


@pytest.mark.parametrize("name", BASES)
def test_directions_stand_at_right_angles_and_reach_every_z(name: str) -> None:
    basis = BASES[name]
    assert np.allclose(basis.rows @ basis.rows.T, np.eye(len(basis.rows)), atol=1e-8)
    assert len(basis.rows) == 6
    z = np.random.default_rng(1).standard_normal(6)
    again = basis.centre + basis.rows.T @ (basis.rows @ (z - basis.centre))
    assert np.allclose(again, z)
    assert len(basis.names) == len(set(basis.names)) == len(basis.reach)
    assert basis.reach[0] == basis.reach[1]
    assert (basis.reach >= directions.NORMAL).all()


def test_coordinates_come_by_how_much_the_codes_differ_in_them() -> None:
    assert directions.spread_first(6, CODES)[:3] == [1, 4, 3]
    assert BASES["coordinates"].names[:3] == ("z4", "z1", "z2")  # the chosen ones, then the widest
    assert BASES["without codes"].names == ("z1", "z2", "z3", "z4", "z5", "z6")


def test_components_are_those_of_scikit_learn() -> None:
    from sklearn.decomposition import PCA

    theirs = PCA(6).fit(CODES)
    ours = BASES["components"]
    assert np.allclose(np.abs((ours.rows * theirs.components_).sum(axis=1)), 1)
    assert ours.names[0] == f"component 1 ({theirs.explained_variance_ratio_[0]:.0%})"


def test_the_plane_of_three_classes_holds_their_means() -> None:
    basis = BASES["between"]
    for mean in CODES[:3]:
        off = mean - basis.centre
        assert np.allclose(basis.rows[:2].T @ (basis.rows[:2] @ off), off)
    across = basis.rows @ (CODES[1] - CODES[0])
    assert across[0] > 0
    assert np.allclose(across[1:], 0, atol=1e-9)


def test_a_latent_of_one_dimension_has_a_pad_too() -> None:
    basis = directions.coordinates(1, None, 0, 0)
    assert basis.rows.shape == (1, 1)


def floats(text: str) -> np.ndarray:
    return np.frombuffer(b64decode(text), "<f4")


def test_the_browser_is_sent_the_codes_and_the_images(small_vae: Run) -> None:
    entry = entries.read(small_vae.path)
    found = packet.known(entry)
    assert found is not None
    sent = packet.packed("key", packet.network(entry), found)
    pixels = np.frombuffer(b64decode(sent["pixels"]), np.uint8).reshape(sent["count"], *sent["side"])
    assert (pixels == found.pixels).all()
    codes = models.opened(entry).encode(to_float(torch.from_numpy(found.pixels)))
    assert np.allclose(floats(sent["codes"]).reshape(codes.shape), codes, atol=1e-6)
    assert sent["net"]["latent_dim"] == codes.shape[1]


def test_a_gan_is_explored_by_the_codes_of_the_vae_that_it_came_from(small_gan: Run) -> None:
    page = open_page("explore", run=small_gan.name)
    assert not page.error
    assert "the VAE that it came from" in texts(page)
    assert page.selectbox(key="way").options[0] == "Coordinates of z"


@pytest.mark.parametrize("way", ["coordinates", "components", "chance"])
def test_the_page_spans_what_its_address_asks_for(small_vae: Run, way: str) -> None:
    page = open_page("explore", run=small_vae.name, way=way)
    assert page.selectbox(key="way").value == way
    assert not page.error


def test_what_the_address_says_of_z_is_believed_only_where_it_is_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, str] = {}
    monkeypatch.setattr(st, "query_params", asked)
    for text, expected in [("0.5,-1,2", [0.5, -1.0, 2.0]), ("", None), ("a,b", None), ("nan,1", None)]:
        asked["z"] = text
        assert pad.place() == expected


def test_the_server_answers_the_z_that_it_is_asked_for_and_nothing_else(small_vae: Run) -> None:
    entry = entries.read(small_vae.path)
    opened = models.opened(entry)
    z = torch.linspace(-1, 1, opened.model.decoder.latent_dim)
    answer = pad.answered(entry, {"number": 4, "z": z.tolist()})
    assert answer is not None
    assert answer["number"] == 4
    with Image.open(BytesIO(b64decode(answer["png"]))) as image:
        drawn = np.asarray(image)
    assert (drawn == to_uint8(opened.decode(z[None])).numpy()[0, 0]).all()
    for nonsense in (
        None,
        {},
        {"number": 1, "z": [0.0]},
        {"number": 1, "z": "x"},
        {"number": 1, "z": [float("nan")] * 3},
    ):
        assert pad.answered(entry, nonsense) is None


def test_a_decoder_that_the_browser_can_t_run_is_run_by_the_server(
    small_vae: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(entry: object) -> None:
        raise UserError("it is too large")

    monkeypatch.setattr(pad, "network", refuse)
    page = open_page("explore", run=small_vae.name)
    assert "The server decodes, image by image" in texts(page)


def test_a_basis_is_named_row_by_row() -> None:
    assert all(isinstance(basis, Basis) for basis in BASES.values())


@pytest.mark.parametrize("way", ["coordinates", "components", "chance"])
def test_of_two_stochastic_layers_the_one_that_is_decoded_is_explored(
    runs: Path, tiny: Tiny, blots: Path, way: str
) -> None:
    settings = (f"data.name={blots}", "network.second_latent=2", "objective.warmup_steps=5")
    run = runner.begin(tiny("vae", *settings))
    list(runner.work(run))
    found = packet.known(entries.read(run.path))
    assert found is not None
    assert found.codes.shape[1] == 3
    open_page("explore", run=run.name, way=way)


def test_large_images_are_sent_as_thumbnails() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (5, 3, 70, 64), dtype=np.uint8)
    small = packet.thumbnails(pixels)
    assert small.shape == (5, 3, 23, 21)
    assert abs(float(small[2, 1, 3, 4]) - pixels[2, 1, 9:12, 12:15].mean()) <= 0.5
    assert (packet.thumbnails(pixels[..., :32, :32]) == pixels[..., :32, :32]).all()
