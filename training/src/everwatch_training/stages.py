# SPDX-License-Identifier: Apache-2.0
"""What each stage learns from. A batch is a pure function of its place in the run."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .cells import DenseHeads, Labelled, dense_loss, labelled
from .decisions import Decisions
from .losses import Scores, token_loss
from .model import Network
from .prompt import Sample
from .recipe import Stage
from .scenes import SceneSamples
from .videos import VideoBatches

# Short drills first: previous sentences and turns, by thirds of the stage.
DRILLS = ((2, 1), (4, 2), (7, 3))


@dataclass
class Part:
    """Samples whose mean loss enters the step's loss with a share."""

    name: str
    samples: list[Sample] | list[Labelled]
    share: float = 1.0

    @property
    def seconds(self) -> int:
        """Of video."""
        return sum(s.seconds if isinstance(s, Sample) else 1 for s in self.samples)


class SceneBatches:
    """Batches of one stage from synthetic cameras."""

    def __init__(self, samples: SceneSamples, stage: Stage):
        self.samples = samples
        self.stage = stage
        self.decisions = samples.decisions

    def parts(self, step: int, rng: np.random.Generator) -> list[Part]:
        """Of one accumulation of a step, counted through the stage."""
        stage, samples = self.stage, self.samples
        step //= stage.accumulate
        share = step / stage.steps
        if stage.kind == "vision":
            return [Part("cells", labelled(samples, rng, stage))]
        if stage.kind == "count":
            length = DRILLS[min(len(DRILLS) - 1, int(share * len(DRILLS)))]
            return [Part("drill", [samples.drill(rng, stage, *length) for _ in range(stage.batch)])]
        if stage.kind == "align":
            return [Part("captions", [samples.caption(rng, stage) for _ in range(stage.batch)])]
        lesson = [lesson for lesson in stage.curriculum if lesson.start <= share][-1]
        longest = stage.curriculum[-1].seconds
        count = max(1, stage.batch * longest // lesson.seconds)
        parts = [Part("chunks", [samples.chunk(rng, stage, lesson) for _ in range(count)])]
        if stage.captions_every and step % stage.captions_every == 0:
            captions = [samples.caption(rng, stage) for _ in range(stage.captions)]
            parts.append(Part("captions", captions, stage.captions_share))
        if stage.drill_every and step % stage.drill_every == 1 % stage.drill_every:
            drill = [samples.drill(rng, stage, *DRILLS[-1]) for _ in range(stage.drill)]
            parts.append(Part("drill", drill, stage.drill_share))
        return parts


class VideoParts:
    """Batches of one stage from users' videos."""

    def __init__(self, batches: VideoBatches, stage: Stage):
        self.batches = batches
        self.stage = stage
        self.decisions = batches.decisions

    def parts(self, step: int, _rng: np.random.Generator) -> list[Part]:
        return [Part("chunks", self.batches.batch(step, self.stage.batch))]


def part_loss(
    network: Network,
    heads: DenseHeads,
    part: Part,
    decisions: Decisions,
    pads: tuple[int, int],
    frozen_tower: bool,
) -> tuple[Tensor, Scores]:
    if part.name == "cells":
        return dense_loss(network, heads, part.samples)
    return token_loss(network, part.samples, decisions, pads, frozen_tower)


@torch.no_grad()
def match_embeddings(network: Network, samples: SceneSamples, stage: Stage, size: float = 0.12):
    """Centres and scales the merger's output to about the size of the text's embeddings.

    The tower leaves its stage thirty times as large, and the decoder would not learn to read it.
    """
    rng = np.random.default_rng([0, 1])
    clips = [clip for _ in range(48) for clip in samples.caption(rng, stage).clips]
    tokens = network.vision(clips).float()
    gain = size / tokens.std(0).clamp_min(1e-3)
    last = network.tower.merger.mlp[-1]
    last.bias.copy_((last.bias - tokens.mean(0)) * gain)
    last.weight.mul_(gain[:, None])
