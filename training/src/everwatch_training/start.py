# SPDX-License-Identifier: Apache-2.0
"""The model that a run begins with: from scratch, or any Qwen2.5-VL folder."""

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import Qwen2_5_VLForConditionalGeneration
from transformers.utils import logging

from . import tokenizer
from .errors import TrainingError
from .grammar import Grammar
from .model import Network, configuration
from .recipe import Recipe
from .scenes import SceneSamples
from .world import all_words

logging.disable_progress_bar()  # of files that are read in a moment


@dataclass
class Start:
    grammar: Grammar
    network: Network
    samples: SceneSamples


def start(recipe: Recipe, device: str) -> Start:
    """Depends on the recipe alone, so that a resumed run begins alike."""
    torch.manual_seed(recipe.seed)
    if recipe.model:
        grammar = Grammar(tokenizer.build(all_words(), recipe.model.vocab_size))
        hf = Qwen2_5_VLForConditionalGeneration(configuration(grammar, recipe.model.__dict__))
    else:
        grammar = Grammar.load(recipe.start)
        hf = read(recipe.start)
    hf.to(torch.bfloat16 if recipe.precision == "bf16-weights" else torch.float32)
    if not recipe.train_tower:
        hf.model.visual.requires_grad_(False)
    network = Network(hf.to(device), recipe.recompute)
    samples = SceneSamples(grammar, recipe.streaming, network.tokens_per_second)
    return Start(grammar, network, samples)


def read(folder: str | Path) -> Qwen2_5_VLForConditionalGeneration:
    """A checkpoint folder, in float32."""
    if not (Path(folder) / "config.json").is_file():
        raise TrainingError(
            f"{folder} has no config.json; expected a Qwen2.5-VL folder in Hugging Face form;"
            " name the folder that holds config.json and the weights"
        )
    try:
        return Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    except (OSError, ValueError, RuntimeError, KeyError) as e:
        raise TrainingError(
            f"{folder} cannot be loaded: {e}; expected a Qwen2.5-VL checkpoint that is whole;"
            " download it again"
        ) from e
