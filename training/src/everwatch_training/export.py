# SPDX-License-Identifier: Apache-2.0
"""From a run to a folder in Hugging Face form that Everwatch loads."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import torch
from transformers import GenerationConfig

from .errors import TrainingError
from .frames import MEAN, MERGE, PAIR, PATCH, STD
from .grammar import MARKER_LIMIT_SECONDS, SPECIALS, Grammar
from .recipe import Recipe
from .start import Start, start
from .state import RunFolder

MAX_NEW_TOKENS = 24


def export(recipe: Recipe, run: Path, out: Path) -> None:
    """Writes the newest state of a run; the folder appears whole or not at all.

    Raises:
        TrainingError: when the run has no state, or `out` is there already
    """
    if out.exists():
        raise TrainingError(f"{out} exists; expected a new folder; name another --out or remove it")
    folder = RunFolder(run)
    point = folder.point()
    if point is None or point.recipe != recipe.digest:
        raise TrainingError(
            f"{run} has no state of recipe {recipe.name}; expected a run that was saved at least"
            " once; train first, or name the recipe of that run"
        )
    begin = start(recipe, "cpu")
    begin.network.hf.load_state_dict(folder.load(point, 0)["model"])
    write(begin, recipe, out)


def write(begin: Start, recipe: Recipe, out: Path) -> None:
    """A model as it is now; it is bf16 afterwards."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        _fill(begin, recipe, part)
        part.chmod(0o755)
        os.replace(part, out)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fill(begin: Start, recipe: Recipe, out: Path) -> None:
    hf, grammar = begin.network.hf, begin.grammar
    if recipe.model:
        hf.generation_config = GenerationConfig(
            do_sample=False,
            eos_token_id=grammar.im_end,
            pad_token_id=grammar.end_of_text,
            max_new_tokens=MAX_NEW_TOKENS,
        )
    hf.to(torch.bfloat16).save_pretrained(out)
    if recipe.model:
        _json(out / "config.json", _config(begin))
        _json(out / "preprocessor_config.json", _preprocessor(recipe))
        _json(out / "tokenizer_config.json", _tokenizer_config(grammar))
        grammar.tokenizer.save(str(out / "tokenizer.json"))
    else:
        _copy_beside_weights(Path(recipe.start), out)
    _json(out / "streaming.json", _streaming(recipe, out / "streaming.json"))


def _copy_beside_weights(base: Path, out: Path) -> None:
    """Configuration and tokenizer of the model that the run began with, as they were."""
    for file in sorted(base.iterdir()):
        if file.suffix in (".json", ".txt", ".jinja") and not file.name.endswith(".index.json"):
            shutil.copyfile(file, out / file.name)


def _config(begin: Start) -> dict:
    """In the flat form of the published checkpoints."""
    config = begin.network.hf.config
    text, vision = config.text_config, config.vision_config
    return dict(
        architectures=["Qwen2_5_VLForConditionalGeneration"],
        model_type="qwen2_5_vl",
        attention_dropout=0.0,
        bos_token_id=text.bos_token_id,
        eos_token_id=text.eos_token_id,
        pad_token_id=text.pad_token_id,
        vision_start_token_id=config.vision_start_token_id,
        vision_end_token_id=config.vision_end_token_id,
        vision_token_id=begin.grammar.tokenizer.token_to_id("<|vision_pad|>"),
        image_token_id=config.image_token_id,
        video_token_id=config.video_token_id,
        hidden_act="silu",
        hidden_size=text.hidden_size,
        initializer_range=0.02,
        intermediate_size=text.intermediate_size,
        max_position_embeddings=text.max_position_embeddings,
        max_window_layers=text.num_hidden_layers,
        num_attention_heads=text.num_attention_heads,
        num_hidden_layers=text.num_hidden_layers,
        num_key_value_heads=text.num_key_value_heads,
        rms_norm_eps=text.rms_norm_eps,
        rope_theta=text.rope_parameters["rope_theta"],
        rope_scaling=dict(type="mrope", mrope_section=text.rope_parameters["mrope_section"]),
        sliding_window=text.max_position_embeddings,
        use_sliding_window=False,
        use_cache=True,
        tie_word_embeddings=True,
        torch_dtype="bfloat16",
        vocab_size=text.vocab_size,
        vision_config=dict(
            depth=vision.depth,
            hidden_act="silu",
            hidden_size=vision.hidden_size,
            intermediate_size=vision.intermediate_size,
            num_heads=vision.num_heads,
            in_chans=3,
            in_channels=3,
            out_hidden_size=vision.out_hidden_size,
            patch_size=PATCH,
            spatial_merge_size=MERGE,
            spatial_patch_size=PATCH,
            window_size=vision.window_size,
            fullatt_block_indexes=list(vision.fullatt_block_indexes),
            tokens_per_second=vision.tokens_per_second,
            temporal_patch_size=PAIR,
        ),
    )


def _preprocessor(recipe: Recipe) -> dict:
    return dict(
        image_processor_type="Qwen2VLImageProcessor",
        processor_class="Qwen2_5_VLProcessor",
        patch_size=PATCH,
        merge_size=MERGE,
        temporal_patch_size=PAIR,
        min_pixels=recipe.streaming.least_pixels,
        max_pixels=recipe.streaming.most_pixels,
        image_mean=MEAN.tolist(),
        image_std=STD.tolist(),
    )


def _tokenizer_config(grammar: Grammar) -> dict:
    flags = dict(special=True, lstrip=False, rstrip=False, normalized=False, single_word=False)
    return dict(
        tokenizer_class="Qwen2Tokenizer",
        model_max_length=32768,
        add_prefix_space=False,
        bos_token=None,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        unk_token=None,
        clean_up_tokenization_spaces=False,
        added_tokens_decoder={
            str(grammar.tokenizer.token_to_id(name)): dict(content=name, **flags)
            for name in SPECIALS
        },
    )


def _streaming(recipe: Recipe, found: Path) -> dict:
    """Everwatch's defaults for this model.

    Args:
        found: those of the model that the run began with, if it has some
    """
    streaming = recipe.streaming
    memory = dict(
        fps=streaming.fps,
        chunk="1 s",
        min_pixels=streaming.least_pixels,
        max_pixels=streaming.most_pixels,
        visual_rounds=streaming.rounds,
        text_rounds=streaming.rounds,
        text_sink=streaming.text_sink,
        text_window=streaming.text_window,
        query_placement="context",
        marker_limit=f"{MARKER_LIMIT_SECONDS} s",
    )
    if recipe.model is None:
        return {**(json.loads(found.read_text()) if found.is_file() else {}), **memory}
    return dict(
        **memory,
        max_new_tokens=MAX_NEW_TOKENS,
        temperature=0,
        repetition_penalty=1.0,
        instruction=streaming.instruction,
    )


def _json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
