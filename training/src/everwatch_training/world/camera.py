# SPDX-License-Identifier: Apache-2.0
"""A synthetic camera whose truth is known, second by second, without end."""

import io
from dataclasses import dataclass

import numpy as np

from .door import ITEMS, Door
from .picture import Picture
from .road import KINDS, Road
from .view import UNIT, View
from .words import NUMBERS

SCENES = {"road": (Road, KINDS), "door": (Door, ITEMS)}  # and what can be counted


@dataclass(frozen=True)
class Start:
    """How a stream begins.

    jump: the second from which it is the stream of a much later time: its counts are others, and
    nothing told before tells them. None = never.
    """

    jump: int | None = None


@dataclass(frozen=True)
class Thing:
    """Something in view in a second's last frame. motion: "left", "right" or "still". box: pixels
    (left, top, right, bottom), cut at the borders."""

    what: str
    colour: str
    motion: str
    box: tuple


class Camera:
    """One camera: `step()` lets a second pass, `render(second)` shows it.

    scene: "road" or "door"; count: what the instruction names, else drawn from the seed;
    bias: extra share of entries with what is counted, for curricula.
    """

    def __init__(self, scene, seed, view=View(), density=0.8, start=Start(), count=None, bias=0.0):  # noqa: B008
        if scene not in SCENES:
            raise ValueError(f"there is no scene '{scene}'; known are {', '.join(SCENES)}")
        make, countable = SCENES[scene]
        if count is not None and count not in countable:
            raise ValueError(
                f"a {scene} cannot count '{count}'; it counts one of {', '.join(countable)}"
            )
        self.scene = make(seed, view, density, start.jump, bias, count)
        self.view = view
        self.picture = Picture(seed, view, self.scene)

    @property
    def instruction(self):
        """What to tell the model, once; with a leading space."""
        return self.scene.instruction

    def step(self):
        """The next Second: sentence ('' = silence), due, caption, questions, what render needs."""
        return self.scene.step()

    def render(self, second):
        """uint8 [fps, H, W, 3]; the same second gives the same bytes."""
        return self.picture.render(second)

    def things(self, second):
        """What the second's last frame shows, for dense labels of vision: a list of Thing."""
        found = []
        right, down = self.picture.shift(second.index * self.view.fps + self.view.fps - 1)

        def add(what, colour, motion, x, y, half, top, bottom):
            edge = self.view.pixel
            box = (
                max(0, edge(x - half) + right),
                max(0, edge((y + top) * UNIT) + down),
                min(self.view.width, edge(x + half) + right),
                min(self.view.height, edge((y + bottom) * UNIT) + down),
            )
            if box[0] < box[2] and box[1] < box[3]:
                found.append(Thing(what, colour, motion, box))

        if second.lamp:
            x, y = self.picture.lamp_place()
            add("light", second.lamp, "still", x, y, 5 * UNIT, -6, 6)
        for seen in second.movers:
            top, bottom = EXTENTS[seen.what]
            add(
                seen.what,
                seen.colour,
                seen.side if seen.moving else "still",
                seen.xs[-1],
                seen.y,
                seen.width // 2,
                top,
                bottom,
            )
        return found


EXTENTS = {
    "car": (-7, 7),
    "bus": (-11, 11),
    "bike": (-9, 9),
    "person": (-36, 0),
}  # units above and below a mover's y
JPEG_QUALITY = 92  # of `everwatch camera`


def jpeg(frames, quality=JPEG_QUALITY):
    """The frames after a JPEG file: uint8 [n, H, W, 3]."""
    from PIL import Image

    out = np.empty_like(frames)
    for i, frame in enumerate(frames):
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "JPEG", quality=quality, subsampling="4:2:0")
        out[i] = np.asarray(Image.open(file))
    return out


def all_words():
    """Texts that together hold all words, said, asked and answered: for a tokenizer."""
    texts = {f" number {word}, {word} inside. {word}." for word in (*NUMBERS, "none")}
    for scene, (_, countable) in SCENES.items():
        for count in countable:
            camera = Camera(scene, 1, count=count)
            texts.add(camera.instruction)
            for _ in range(400):
                second = camera.step()
                texts |= {second.sentence, second.caption}
                texts |= {text for q in second.questions for text in (q.text, q.answer)}
    return sorted(texts - {""})
