# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
import torch

from everwatch_training import recipe as recipes
from everwatch_training.recipe import Recipe
from everwatch_training.start import Start, start

REPOSITORY = Path(__file__).resolve().parents[2]
SHIPPED = REPOSITORY / "operators/src/main/resources/io/everwatch/models/everwatch-tiny"

TINY = """
name = "tiny"
seed = 3
precision = "f32"
average_every = 2
log_every = 2
save_every = 4
[model]
vocab_size = 512
hidden_size = 64
layers = 2
heads = 2
kv_heads = 1
mlp_size = 96
vision_hidden_size = 64
vision_layers = 2
vision_heads = 2
vision_mlp_size = 96
vision_window_size = 56
vision_full_attention = [1]
"""


def tiny(stages: str = "") -> Recipe:
    """A recipe whose model trains in milliseconds."""
    import tomllib

    few = '[[stages]]\nkind = "align"\nsteps = 2\nbatch = 1\nlearning_rate = 1e-3\n'
    return recipes.read(tomllib.loads(TINY + (stages or few)), "tiny")


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def fresh() -> Start:
    """A random tiny model, its biases and gains too, so that each of them matters."""
    begin = start(tiny(), "cpu")
    with torch.no_grad():
        for parameter in begin.network.hf.parameters():
            if parameter.dim() == 1:
                parameter += 0.1 * torch.randn_like(parameter)
    return begin
