from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from genlab.errors import UserError
from genlab.experiment import schema
from genlab.experiment.schema import Experiment, fields, override, parse
from genlab.recipes import RECIPES, recipe

Tiny = Callable[..., Experiment]


@pytest.mark.parametrize("name", RECIPES)
def test_a_config_survives_json(name: str) -> None:
    experiment = recipe(name)
    assert parse(json.loads(json.dumps(experiment.model_dump(mode="json")))) == experiment


def test_a_config_can_not_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        recipe("vae").training.steps = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("assignment", "field", "value"),
    [
        ("objective.beta=4", "objective.beta", 4.0),
        ("objective.warmup=cyclic", "objective.warmup", "cyclic"),
        ("network.prior.kind=mixture", "network.prior.kind", "mixture"),
        ("training.seconds=null", "training.seconds", None),
        ("data.name=/some/folder=1", "data.name", "/some/folder=1"),
        ("data.name=2024", "data.name", "2024"),
        ("observation.learn_sigma=true", "observation.learn_sigma", True),
    ],
)
def test_assignments(assignment: str, field: str, value: object) -> None:
    found: object = override(recipe("vae"), [assignment])
    for name in field.split("."):
        found = getattr(found, name)
    assert found == value


def test_later_assignments_win_and_all_are_checked_together() -> None:
    experiment = override(
        recipe("gan"), ["objective.r1=1", "network.discriminator.norm=none", "objective.r1=2"]
    )
    assert isinstance(experiment.objective, schema.Adversarial)
    assert experiment.objective.r1 == 2


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("beta=4", "unknown key 'beta'; did you mean 'objective.beta'?"),
        ("objective.bta=4", "unknown key 'objective.bta'; did you mean 'objective.beta'?"),
        ("training.step=4", "did you mean 'training.steps'?"),
        ("network=4", "unknown key 'network'"),
        ("network.decoder.width.deep=4", "unknown key"),
        ("=4", "key=value"),
        ("objective.beta", "key=value and got 'objective.beta'"),
        ("objective.beta=-1", "objective.beta: .*greater than or equal to 0"),
        ("objective.beta=NaN", "objective.beta: .*finite"),
        ("objective.beta=many", "objective.beta: .*number"),
        ("training.steps=0", "training.steps"),
        ("training.steps=1.5", "training.steps"),
        ("training.ema=1", "training.ema"),
        ("training.seed=-1", "training.seed"),
        ("training.device=tpu", "training.device"),
        ("network.latent_dim=0", "network.latent_dim"),
        ("network.decoder.norm=layer", "network.decoder.norm: .*'batch', 'group' or 'none'"),
        ("data.size=4", "data.size"),
        ("data.channels=2", "data.channels"),
        ("observation.sigma=0", "observation.sigma"),
        ("optimizer.beta2=1", "optimizer.beta2"),
        ("family=gan", "family 'gan' needs objective.name='adversarial', not 'elbo'"),
        ("schema_version=2", "schema_version"),
    ],
)
def test_mistakes_get_one_sentence(assignment: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        override(recipe("vae"), [assignment])
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("--set")


@pytest.mark.parametrize("penalty", ["r1", "r2", "wasserstein_penalty"])
@pytest.mark.parametrize("name", ["gan", "vaegan"])
def test_a_penalty_beside_batch_statistics_is_refused(name: str, penalty: str) -> None:
    with pytest.raises(UserError, match=r"network\.discriminator\.norm=none"):
        override(recipe(name), [f"objective.{penalty}=1", "network.discriminator.norm=batch"])
    override(recipe(name), [f"objective.{penalty}=1", "network.discriminator.norm=none"])


@pytest.mark.parametrize(
    ("name", "assignments", "sentence"),
    [
        ("gan", ["training.batch_size=9"], r"packs of 4: set training\.batch_size=12$"),
        ("gan", ["training.batch_size=4"], r"one pack .* set training\.batch_size=8, or network\.disc"),
        (
            "gan",
            ["objective.wasserstein_penalty=1", "network.discriminator.norm=none"],
            r"set .*\.pack=1, or",
        ),
        ("vaegan", [], r"network\.discriminator\.pack=1$"),
    ],
)
def test_packs_that_can_not_be_right_are_refused(name: str, assignments: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        override(recipe(name), ["network.discriminator.pack=4", *assignments])
    override(recipe(name), ["network.discriminator.pack=1", *assignments])


def test_whole_packs_are_taken() -> None:
    none = "network.discriminator.norm=none"
    for assignments in (["training.batch_size=8"], ["training.batch_size=4", none]):
        override(recipe("gan"), ["network.discriminator.pack=4", *assignments])
    override(recipe("vae"), ["network.discriminator.pack=5"])  # which has no discriminator


@pytest.mark.parametrize("name", RECIPES)
def test_batch_statistics_of_one_image_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"training\.batch_size=2"):
        override(recipe(name), ["training.batch_size=1", "network.decoder.norm=batch"])
    norms = [f"network.{part}.norm=none" for part in ("encoder", "decoder", "discriminator")]
    override(recipe(name), ["training.batch_size=1", *norms])


def test_an_unknown_key_in_a_file_names_the_nearest() -> None:
    config = recipe("vae").model_dump()
    config["training"]["stepps"] = 3
    with pytest.raises(UserError, match=r"run/config.json: unknown key 'training.stepps'.*'training.steps'"):
        parse(config, "run/config.json")


@pytest.mark.parametrize("config", [{}, {"family": "vae"}, {"family": "flow", "objective": {"name": "elbo"}}])
def test_half_a_config_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(UserError, match="the config"):
        parse(config)


def test_every_field_has_its_sentence_and_its_bounds() -> None:
    for path, field in fields():
        if path.endswith((".name", "family", "schema_version")):
            continue
        assert field.description, path
        assert field.description.endswith("."), path
        if field.annotation in (int, float):
            assert field.metadata, f"{path} has no bounds"


def test_every_known_path_can_be_set() -> None:
    paths = [path for path, _ in fields()]
    assert len(paths) == len(set(paths))
    for name in RECIPES:
        dumped = recipe(name).model_dump()
        for path in paths:
            section, _, leaf = path.rpartition(".")
            if section != "objective" and path not in ("family", "recipe", "schema_version"):
                inner = dumped
                for part in section.split(".") if section else []:
                    inner = inner[part]
                assert leaf in inner, path


@pytest.mark.parametrize("name", ["vea", "gann", "something else"])
def test_an_unknown_recipe_names_the_nearest(name: str) -> None:
    with pytest.raises(UserError, match=r"did you mean|there are"):
        recipe(name)


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_have_their_name_and_their_sentence(name: str) -> None:
    assert recipe(name).recipe == name
    assert (RECIPES[name].__doc__ or "").strip()


def test_the_schema_needs_no_torch() -> None:
    """A command that shows or checks configs starts at once."""
    modules = "genlab.recipes, genlab.experiment.schema, genlab.runs.store"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "assignments", "sentence"),
    [
        ("vae", ["network.prior.kind=flow", "objective.free_bits=1"], "free bits need the KL"),
        ("vae", ["network.second_latent=2", "objective.free_bits=1"], "free bits need the KL"),
        ("vae", ["network.prior.kind=mixture", "network.second_latent=2"], "a prior of their own"),
        ("vae", ["network.prior.kind=flow", "network.latent_dim=1"], r"network\.latent_dim=2"),
        ("vaegan", ["network.prior.kind=flow"], "no update that trains a flow"),
        ("vaegan", ["network.second_latent=2"], "no update that trains a second stochastic layer"),
        ("vae", ["optimizer.schedule=burda", "optimizer.final=0"], r"optimizer\.schedule=cosine"),
        ("vae", ["network.decoder.mean_bias=true"], r"network\.decoder\.kind=mlp"),
        ("iwae-table1", ["observation.kind=gaussian"], r"network\.decoder\.mean_bias=false"),
        ("gan", ["network.discriminator.init=glorot"], "unknown key"),
        ("iwae", ["objective.bound=cubo"], r"objective\.bound: .*'elbo' or 'iwae'"),
        ("iwae", ["objective.samples=0"], r"objective\.samples"),
    ],
)
def test_what_does_not_go_together_gets_one_sentence(
    name: str, assignments: list[str], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        override(recipe(name), assignments)
    assert "\n" not in str(caught.value)
