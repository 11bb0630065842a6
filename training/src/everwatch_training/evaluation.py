# SPDX-License-Identifier: Apache-2.0
"""How good a checkpoint is on streams of the synthetic cameras that it never saw."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from . import frames
from .frames import PixelLimits
from .grammar import Grammar
from .losses import Scores, token_loss
from .model import Network
from .recipe import Gate, Lesson, Stage, Streaming
from .scenes import SceneSamples
from .start import read
from .streaming import Stream
from .world import Camera, View, bare
from .world.words import NUMBERS

FIRST_SEED = 900_001  # below those of training
NUMBER = re.compile(r" number (\w+)")
ASK_EVERY = 20  # seconds


def load(folder: str | Path) -> tuple[Network, Grammar, Streaming]:
    """A checkpoint folder, with the streaming defaults that lie in it."""
    grammar = Grammar.load(folder)
    network = Network(read(folder).eval())
    path = Path(folder) / "streaming.json"
    said = json.loads(path.read_text()) if path.is_file() else {}
    default = Streaming()
    streaming = Streaming(
        said.get("min_pixels", default.least_pixels),
        said.get("max_pixels", default.most_pixels),
        said.get("text_sink", default.text_sink),
        said.get("text_window", default.text_window),
        said.get("text_rounds", default.rounds),
    )
    return network, grammar, streaming


def run(model, camera: Camera, seconds: int) -> Counter:
    """Counts of one stream."""
    network, grammar, streaming = model
    limits = PixelLimits(streaming.least_pixels, streaming.most_pixels)
    stream = Stream(network, grammar, streaming, camera.instruction)
    counts, last = Counter(), None
    for index in range(seconds):
        second = camera.step()
        clip = frames.clip(camera.render(second), limits, network.tokens_per_second)
        fork = stream.fork() if index % ASK_EVERY == ASK_EVERY - 1 else None
        said = stream.answer(clip)
        last = count(counts, second.sentence, said, last)
        if fork is not None and not second.sentence:
            for question in (q for q in second.questions if q.known):
                right = fork.fork().answer(clip, question.text) == question.answer
                counts[f"asked {question.source}"] += 1
                counts[f"answered {question.source}"] += right
    return counts


def count(counts: Counter, truth: str, said: str, last: int | None) -> int | None:
    """Adds one second; returns the model's own last number."""
    due, given = NUMBER.search(truth), NUMBER.search(said)
    hit = bool(truth) and bare(truth) == bare(said)
    counts["events"] += bool(truth)
    counts["said"] += bool(said)
    counts["hits"] += hit
    counts["exact"] += bool(truth) and truth == said
    if not truth:
        counts["silent"] += 1
        counts["silent right"] += not said
    if due:
        counts["due"] += 1
        counts["given"] += given is not None
    elif truth and hit:
        counts["not due"] += 1
        counts["given wrongly"] += given is not None
    if given:
        number = NUMBERS.index(given[1]) if given[1] in NUMBERS else -1
        counts["numbers"] += 1
        counts["steps"] += number == (0 if last is None else (last + 1) % len(NUMBERS))
        return number
    return last


@torch.no_grad()
def taught(folder: str, scene: str, chunks: int, plain: bool) -> dict[str, float]:
    """How often turns and decisions are right when everything before them is."""
    torch.set_num_threads(1)
    network, grammar, streaming = load(folder)
    samples = SceneSamples(grammar, streaming, network.tokens_per_second)
    stage = Stage("sft", 1, 1, 1.0, questions=0.25, plain=float(plain), scenes=[scene])
    lesson, found = Lesson(0.0, 24, streaming.text_window), Scores()
    for seed in range(FIRST_SEED, FIRST_SEED + chunks):
        sample = samples.chunk(np.random.default_rng(seed), stage, lesson)
        pads = (grammar.end_of_text, grammar.video_pad)
        _, right = token_loss(network, [sample], samples.decisions, pads, frozen_tower=True)
        found.merge(right)
    return {name: round(value, 4) for name, value in found.means().items()}


def scores(counts: Counter) -> dict[str, float | None]:
    def share(a: str, b: str) -> float | None:
        return round(counts[a] / counts[b], 4) if counts[b] else None

    both = counts["events"] + counts["said"]
    return dict(
        events_f1=round(2 * counts["hits"] / both, 4) if both else None,
        exact=share("exact", "events"),
        silence=share("silent right", "silent"),
        number_given=share("given", "due"),
        number_false=share("given wrongly", "not due"),
        count_step=share("steps", "numbers"),
        answers_sight=share("answered sight", "asked sight"),
        answers_text=share("answered text", "asked text"),
    )


def judge(folder: str, scene: str, seeds: int, seconds: int, plain: bool) -> dict:
    """Scores of all streams together."""
    torch.set_num_threads(1)
    model, total = load(folder), Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        view = View() if plain else View.draw(np.random.default_rng(seed))
        total += run(model, Camera(scene, seed, view), seconds)
    return dict(scene=scene, seeds=seeds, seconds=seconds, plain=plain, **scores(total))


def gate(folder: str, wanted: Gate) -> int:
    """0 when the checkpoint reaches all figures on all scenes, else 1; says which it does not."""
    failed = 0
    for scene in wanted.scenes:
        found = judge(folder, scene, wanted.seeds, wanted.seconds, wanted.plain)
        print(json.dumps(found))
        for name, value in found.items():
            least = getattr(wanted, name, 0.0) if name in scores(Counter()) else 0.0
            if least and (value is None or value < least):
                print(f"{scene}: {name} is {value}, the gate wants {least}")
                failed = 1
    return failed
