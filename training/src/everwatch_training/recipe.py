# SPDX-License-Identifier: Apache-2.0
"""Recipes: what is trained, on what and for how long. TOML files; see `recipes/`."""

import dataclasses
import hashlib
import tomllib
import types
import typing
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from .errors import TrainingError

KINDS = ("vision", "count", "align", "sft")


@dataclass(frozen=True)
class ModelSizes:
    """Of a model from scratch."""

    vocab_size: int
    hidden_size: int
    layers: int
    heads: int
    kv_heads: int
    mlp_size: int
    vision_hidden_size: int
    vision_layers: int
    vision_heads: int
    vision_mlp_size: int
    vision_window_size: int
    vision_full_attention: list[int]


@dataclass(frozen=True)
class Streaming:
    """How the model is served, and so what its samples look like."""

    least_pixels: int = 7056
    most_pixels: int = 38416
    text_sink: int = 16
    text_window: int = 384
    rounds: int = 16
    fps: int = 2
    instruction: str = ""


@dataclass(frozen=True)
class Lesson:
    """A stretch of a curriculum, from this share of the stage on."""

    start: float
    seconds: int
    text_window: int


@dataclass(frozen=True)
class Stage:
    """One stage of the chain.

    Attributes:
        batch: samples of a step and process; `sft` counts samples of the longest chunk
        tokens: longest sample of `sft`; frames of many tokens make shorter chunks
        frozen_tower: share of the stage during which the vision tower does not learn
        captions_every, drill_every: every so many steps a batch of these is mixed in; 0: never
        memory_weight: of words that only the text memory tells, and of the decision before them
        questions: share of the chunks with a question
        plain: share of the cameras with the plain view
    """

    kind: str
    steps: int
    batch: int
    learning_rate: float
    warmup: int = 30
    weight_decay: float = 0.05
    accumulate: int = 1
    tokens: int = 2048
    curriculum: list[Lesson] = field(default_factory=list)
    frozen_tower: float = 0.0
    captions_every: int = 0
    captions: int = 6
    captions_share: float = 0.7
    drill_every: int = 0
    drill: int = 24
    drill_share: float = 0.5
    memory_weight: float = 3.0
    questions: float = 0.0
    plain: float = 0.25
    scenes: list[str] = field(default_factory=lambda: ["road", "door"])


@dataclass(frozen=True)
class Videos:
    """A folder of users' videos with timed text.

    Attributes:
        clip_seconds, overlap_seconds: W and O of the paper
    """

    folder: str
    clip_seconds: int = 24
    overlap_seconds: int = 12


@dataclass(frozen=True)
class Gate:
    """What a checkpoint must reach on streams that it has never seen (see `evaluation.scores`).

    Attributes:
        plain: cameras with the plain view
    """

    scenes: list[str]
    seeds: int
    seconds: int
    plain: bool
    events_f1: float
    silence: float
    number_given: float = 0.0
    count_step: float = 0.0
    answers_sight: float = 0.0
    answers_text: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """
    Attributes:
        start: a Qwen2.5-VL folder; empty: from scratch, with `model`
        precision: `bf16`: float32 weights, products in bf16; `bf16-weights`: all in bf16; `f32`
        train_tower: false keeps the vision tower as it is, whatever the stages say
        recompute: keeps no activations (gradient checkpointing)
        average_every: steps between two averages of the processes' weights
        log_every, save_every: steps; saves fall on averages and on log lines
    """

    name: str
    seed: int
    stages: list[Stage]
    streaming: Streaming = field(default_factory=Streaming)
    model: ModelSizes | None = None
    start: str = ""
    videos: Videos | None = None
    gate: Gate | None = None
    precision: str = "bf16"
    train_tower: bool = True
    recompute: bool = False
    average_every: int = 8
    log_every: int = 20
    save_every: int = 200

    @property
    def digest(self) -> str:
        """Of all that decides what is learned: tells a run's recipe from another."""
        learned = dataclasses.replace(self, gate=None)
        return hashlib.sha256(repr(learned).encode()).hexdigest()[:16]


def load(name: str) -> Recipe:
    """A recipe of the package by its name, or a TOML file by its path.

    Raises:
        TrainingError: with all that is wrong with it
    """
    packaged = resources.files(__package__) / "recipes" / f"{name}.toml"
    path = packaged if packaged.is_file() else Path(name)
    if not path.is_file():
        names = sorted(
            entry.name.removesuffix(".toml")
            for entry in (resources.files(__package__) / "recipes").iterdir()
            if entry.name.endswith(".toml")
        )
        raise TrainingError(
            f"there is no recipe {name}; expected one of {', '.join(names)} or a TOML file;"
            " correct --recipe"
        )
    try:
        return read(tomllib.loads(path.read_text(encoding="utf-8")), str(name))
    except tomllib.TOMLDecodeError as e:
        raise TrainingError(f"recipe {name} is not TOML: {e}; correct the file") from e


def read(data: dict, where: str) -> Recipe:
    problems: list[str] = []
    recipe = _table(Recipe, data, "", problems)
    if recipe is not None:
        _check(recipe, problems)
    if problems or recipe is None:
        raise TrainingError(f"recipe {where}: {'; '.join(problems)}; correct the file")
    return recipe


def _check(recipe: Recipe, problems: list[str]) -> None:
    if bool(recipe.start) == (recipe.model is not None):
        problems.append("expected either start or [model]")
    if recipe.precision not in ("f32", "bf16", "bf16-weights"):
        problems.append(f"precision is {recipe.precision!r}, expected f32, bf16 or bf16-weights")
    if recipe.save_every % recipe.log_every or recipe.save_every % recipe.average_every:
        problems.append(
            f"save_every is {recipe.save_every}, expected a multiple of log_every"
            f" ({recipe.log_every}) and of average_every ({recipe.average_every})"
        )
    if not recipe.stages:
        problems.append("expected at least one of [[stages]]")
    for index, stage in enumerate(recipe.stages):
        where = f"stages[{index}]"
        if stage.kind not in KINDS:
            problems.append(f"{where}.kind is {stage.kind!r}, expected one of {', '.join(KINDS)}")
        for name in ("steps", "batch", "accumulate", "learning_rate"):
            if getattr(stage, name) <= 0:
                problems.append(f"{where}.{name} is {getattr(stage, name)}, expected more than 0")
        starts = [lesson.start for lesson in stage.curriculum]
        if starts != sorted(starts) or (stage.kind == "sft" and starts[:1] != [0.0]):
            problems.append(f"{where}.curriculum begins {starts}, expected 0.0 first, ascending")
    videos = recipe.videos
    if videos and not 0 <= videos.overlap_seconds < videos.clip_seconds:
        problems.append(
            f"videos.overlap_seconds is {videos.overlap_seconds}, expected less than"
            f" clip_seconds ({videos.clip_seconds})"
        )


def _table(cls, data, where: str, problems: list[str]):
    """A dataclass from a TOML table; unknown, missing and wrong keys go to `problems`."""
    if not isinstance(data, dict):
        problems.append(f"{where or 'the file'} is {data!r}, expected a table")
        return None
    hints = typing.get_type_hints(cls)
    prefix = f"{where}." if where else ""
    values = {}
    for key in data.keys() - hints.keys():
        problems.append(f"{prefix}{key} is unknown, expected one of {', '.join(hints)}")
    for item in dataclasses.fields(cls):
        if item.name in data:
            values[item.name] = _value(
                hints[item.name], data[item.name], prefix + item.name, problems
            )
        elif item.default is item.default_factory is dataclasses.MISSING:
            problems.append(f"{prefix}{item.name} is missing")
    return None if problems else cls(**values)


def _value(kind, value, where: str, problems: list[str]):
    if isinstance(kind, types.UnionType):
        kind = typing.get_args(kind)[0]
    if dataclasses.is_dataclass(kind):
        return _table(kind, value, where, problems)
    if typing.get_origin(kind) is list:
        if not isinstance(value, list):
            problems.append(f"{where} is {value!r}, expected a list")
            return []
        (item,) = typing.get_args(kind)
        return [_value(item, v, f"{where}[{i}]", problems) for i, v in enumerate(value)]
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        problems.append(f"{where} is {value!r}, expected {kind.__name__}")
    return value
