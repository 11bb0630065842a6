# SPDX-License-Identifier: Apache-2.0
"""Next-token loss of samples, and how often each decision of the grammar is right."""

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .decisions import Decisions
from .model import Network
from .prompt import TURNS, Sample

ROUND_TO = 32  # lengths of padded batches, so that few different shapes come up


@dataclass
class Scores:
    """Sums and counts by name; two of them add up."""

    sums: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, total: float, count: float = 1) -> None:
        if count:
            entry = self.sums.setdefault(name, [0.0, 0.0])
            entry[0] += total
            entry[1] += count

    def merge(self, other: "Scores") -> None:
        for name, (total, count) in other.sums.items():
            self.add(name, total, count)

    def means(self) -> dict[str, float]:
        return {name: total / count for name, (total, count) in sorted(self.sums.items())}


@dataclass
class Padded:
    """Samples side by side, padded at their ends."""

    ids: Tensor
    weights: Tensor
    decisions: Tensor
    turns: Tensor
    positions: Tensor

    @staticmethod
    def of(samples: list[Sample], pad: int, device: torch.device) -> "Padded":
        longest = max(len(sample) for sample in samples)
        shape = (len(samples), -(-longest // ROUND_TO) * ROUND_TO)
        ids = np.full(shape, pad, np.int64)
        weights = np.zeros(shape, np.float32)
        decisions = np.zeros(shape, np.int64)
        turns = np.zeros(shape, np.int64)
        positions = np.zeros((3, *shape), np.float32)
        for row, sample in enumerate(samples):
            n = len(sample)
            ids[row, :n] = sample.ids
            weights[row, :n] = sample.weights
            decisions[row, :n] = sample.decisions
            turns[row, :n] = sample.turns
            positions[:, row, :n] = sample.positions
        return Padded(
            *(torch.from_numpy(x).to(device) for x in (ids, weights, decisions, turns, positions))
        )


def token_loss(
    network: Network,
    samples: list[Sample],
    decisions: Decisions,
    pads: tuple[int, int],
    frozen_tower: bool,
) -> tuple[Tensor, Scores]:
    """Weighted mean loss of the supervised tokens.

    Args:
        pads: ids of the padding and of the video pad
    """
    padding, video = pads
    batch = Padded.of(samples, padding, network.device)
    clips = [clip for sample in samples for clip in sample.clips]
    vision = None
    if clips:
        with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen_tower):
            vision = network.vision(clips)
    hidden = network.decode(network.embed(batch.ids, vision, video), batch.positions)
    # A turn whose number cannot be known is scored without it, so weight 0 stays in.
    chosen = (batch.weights[:, 1:] > 0) | (batch.turns[:, 1:] > 0)
    logits = network.logits(hidden[:, :-1][chosen]).float()
    target = batch.ids[:, 1:][chosen]
    weight = batch.weights[:, 1:][chosen]
    each = F.cross_entropy(logits, target, reduction="none")
    loss = (each * weight).sum() / weight.sum().clamp_min(1e-6)
    with torch.no_grad():
        right = logits.argmax(-1) == target
        scores = _scores(
            right.cpu().numpy(),
            weight.cpu().numpy() > 0,
            batch.decisions[:, 1:][chosen].cpu().numpy(),
            batch.turns[:, 1:][chosen].cpu().numpy(),
            batch.turns[:, :-1][chosen].cpu().numpy(),
            decisions,
        )
    return loss, scores


def _scores(right, counts, decision, turn, before, decisions: Decisions) -> Scores:
    """
    Args:
        before: the turn kind of the token before, which tells where a turn begins
    """
    scores = Scores()
    for code in np.unique(decision[counts & (decision > 0)]):
        at = counts & (decision == code)
        scores.add(f"right/{decisions.names[code]}", right[at].sum(), at.sum())
    spoken = turn > 0
    if spoken.any():
        first = (before[spoken] == 0).astype(np.int64)
        number = np.cumsum(first) - 1
        wrong = np.zeros(number[-1] + 1, bool)
        np.logical_or.at(wrong, number, (~right & counts)[spoken])
        kinds = turn[spoken][first == 1]
        for kind, name in TURNS.items():
            scores.add(f"turns/{name}", (~wrong)[kinds == kind].sum(), (kinds == kind).sum())
    return scores
