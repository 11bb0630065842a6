# SPDX-License-Identifier: Apache-2.0
"""Dense labels of single seconds: what stands on each vision token. They teach the tower to see."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .frames import MERGE, PAIR, PATCH, Clip
from .losses import Scores
from .model import Network
from .recipe import Stage
from .scenes import SceneSamples, camera_seed
from .world import Camera
from .world.door import ITEMS
from .world.picture import LAMP_COLOURS
from .world.road import KINDS
from .world.words import COLOUR_NAMES

SECONDS_OF_A_CAMERA = 4
LEAST_OVERLAP = 49  # pixels of a token's 28 x 28
NOTHING_WEIGHT = 0.15  # most tokens show nothing
THINGS = [f"{what} {colour}" for what in (*KINDS, "person") for colour in COLOUR_NAMES]
MOTIONS = ["still", "left", "right"]
LAMPS = list(LAMP_COLOURS)
# Per head: class names from 1 on (0: nothing), and its share of the loss.
HEADS = {
    "thing": (THINGS, 1.0),
    "motion": (MOTIONS, 1.0),
    "item": (list(ITEMS), 0.5),
    "lamp": (LAMPS, 1.0),
}


@dataclass
class Labelled:
    """A frame pair; labels int64 [heads, tokens], -1 where they cannot be known."""

    clip: Clip
    labels: np.ndarray


class DenseHeads(nn.ModuleDict):
    """One linear classifier per kind of label; thrown away after the stage."""

    def __init__(self, width: int):
        super().__init__({n: nn.Linear(width, len(c) + 1) for n, (c, _) in HEADS.items()})


def labelled(samples: SceneSamples, rng: np.random.Generator, stage: Stage) -> list[Labelled]:
    """`stage.batch` seconds of several cameras."""
    found: list[Labelled] = []
    while len(found) < stage.batch:
        view = samples.view(rng, stage)
        scene = stage.scenes[int(rng.integers(len(stage.scenes)))]
        camera = Camera(scene, camera_seed(rng), view, density=2.0)
        for _ in range(int(rng.integers(12))):
            camera.step()
        for _ in range(min(SECONDS_OF_A_CAMERA, stage.batch - len(found))):
            for _ in range(int(rng.integers(1, 4))):
                second = camera.step()
            pictures = camera.render(second)[-PAIR:]
            clip = samples.clip(rng, pictures)
            found.append(Labelled(clip, _labels(camera, second, clip)))
    return found


def _labels(camera: Camera, second, clip: Clip) -> np.ndarray:
    side = PATCH * MERGE
    rows, columns = clip.height // MERGE, clip.width // MERGE
    scale = np.array([columns * side / camera.view.width, rows * side / camera.view.height] * 2)
    labels = np.zeros((len(HEADS), rows, columns), np.int64)
    best = np.full((rows, columns), float(LEAST_OVERLAP))
    top, left = np.arange(rows)[:, None] * side, np.arange(columns)[None] * side
    carried = {(seen.what, seen.colour): seen.item for seen in second.movers}
    for thing in camera.things(second):
        x0, y0, x1, y1 = np.array(thing.box) * scale
        if thing.what == "light":
            at = (
                min(rows - 1, int(y0 + y1) // 2 // side),
                min(columns - 1, int(x0 + x1) // 2 // side),
            )
            labels[3][at] = 1 + LAMPS.index(thing.colour)
            continue
        wide = np.clip(np.minimum(x1, left + side) - np.maximum(x0, left), 0, None)
        high = np.clip(np.minimum(y1, top + side) - np.maximum(y0, top), 0, None)
        here = wide * high > best
        best[here] = (wide * high)[here]
        labels[0][here] = 1 + THINGS.index(f"{thing.what} {thing.colour}")
        # One frame a second shows no motion.
        labels[1][here] = 1 + MOTIONS.index(thing.motion) if camera.view.fps > 1 else -1
        item = carried[thing.what, thing.colour]
        labels[2][here] = 1 + ITEMS.index(item) if item else 0
    return labels.reshape(len(HEADS), -1)


def dense_loss(network: Network, heads: DenseHeads, batch: list[Labelled]) -> tuple[Tensor, Scores]:
    """Cross-entropy of all heads over all vision tokens."""
    tokens = network.vision([item.clip for item in batch])
    labels = torch.from_numpy(np.concatenate([item.labels for item in batch], 1)).to(tokens.device)
    loss, scores = tokens.new_zeros((), dtype=torch.float32), Scores()
    for (name, (_, share)), target in zip(HEADS.items(), labels, strict=True):
        logits = heads[name](tokens).float()
        weight = torch.where(target > 0, 1.0, NOTHING_WEIGHT) * (target >= 0)
        each = F.cross_entropy(logits, target.clamp_min(0), reduction="none")
        loss = loss + share * (each * weight).sum() / weight.sum()
        right, some = logits.argmax(-1) == target, target > 0
        scores.add(f"right/{name}", right[some].sum().item(), int(some.sum()))
        scores.add(f"right/no {name}", right[target == 0].sum().item(), int((target == 0).sum()))
    return loss, scores
