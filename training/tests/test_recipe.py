# SPDX-License-Identifier: Apache-2.0
import tomllib

import pytest

from conftest import TINY, tiny
from everwatch_training import recipe as recipes
from everwatch_training.errors import TrainingError
from everwatch_training.start import start

STAGE = '[[stages]]\nkind = "align"\nsteps = 2\nbatch = 1\nlearning_rate = 1e-3\n'


@pytest.mark.parametrize("name", ["smoke", "release"])
def test_the_recipes_of_the_package_can_be_read(name):
    recipe = recipes.load(name)
    assert recipe.name == name
    assert [stage.kind for stage in recipe.stages] == ["vision", "count", "align", "sft"]


def test_the_released_model_fits_eight_megabytes():
    recipe = recipes.load("release")
    numbers = sum(p.numel() for p in start(recipe, "cpu").network.hf.parameters())
    assert 2 * numbers < 8 << 20
    assert recipe.model.vocab_size == 512


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (TINY, "stages is missing"),
        (
            TINY + STAGE + "stpes = 3\n",
            r"stages\[0\]\.stpes is unknown, expected one of kind, steps",
        ),
        (TINY + STAGE.replace("1e-3", '"fast"'), "learning_rate is 'fast', expected float"),
        (TINY + STAGE.replace("= 2", "= 0"), "steps is 0, expected more than 0"),
        (TINY + STAGE.replace("align", "sft"), r"curriculum begins \[\], expected 0\.0 first"),
        (TINY + STAGE.replace("align", "allign"), "kind is 'allign', expected one of vision"),
        (TINY.replace("save_every = 4", "save_every = 3") + STAGE, "save_every is 3, expected a"),
        (TINY.replace('"f32"', '"f16"') + STAGE, "precision is 'f16', expected f32"),
        (TINY.replace("[model]", "start = 'x'\n[model]") + STAGE, "either start or"),
        (TINY + STAGE + '[videos]\nfolder = "x"\noverlap_seconds = 24\n', "overlap_seconds is 24"),
    ],
)
def test_a_wrong_recipe_is_refused_with_what_is_wrong(text, problem):
    with pytest.raises(TrainingError, match=rf"recipe mine: .*{problem}.*; correct the file"):
        recipes.read(tomllib.loads(text), "mine")


def test_all_problems_are_told_at_once():
    with pytest.raises(TrainingError, match=r"steps is 0.*batch is 0"):
        tiny(STAGE.replace("= 2", "= 0").replace("batch = 1", "batch = 0"))


def test_an_unknown_name_is_told_with_those_that_are_known(tmp_path):
    with pytest.raises(TrainingError, match="there is no recipe smok; expected one of release, sm"):
        recipes.load("smok")
    (tmp_path / "bad.toml").write_text("name =")
    with pytest.raises(TrainingError, match=r"is not TOML: .*; correct the file"):
        recipes.load(str(tmp_path / "bad.toml"))


def test_the_digest_tells_recipes_apart():
    assert tiny().digest == tiny().digest
    assert tiny().digest != tiny(STAGE.replace("= 2", "= 3")).digest
    gate = '[gate]\nscenes = ["road"]\nseeds = 1\nseconds = 9\nplain = true\nevents_f1 = 0.5\n'
    assert tiny(STAGE + gate + "silence = 0.5\n").digest == tiny().digest
