# SPDX-License-Identifier: Apache-2.0
"""Writes road.json and road.bin: what the training world draws from given backgrounds and states.

    python generate.py FOLDER        # FOLDER holds the world.py of the training recipe

Three cameras x 12 seconds chosen for variety (all kinds, both lanes, all lamps, cut at both edges). The draws of each
background are recorded while world.py makes it, so that another renderer can start from the same numbers.
road.bin holds uint8 pictures [112][112][3] one after the other, deflated (zlib): per frame the noise-free one, then for the
first frame of each camera the exposed one; then the noise picture of the exposed ones, float32 little-endian [112][112].
"""
import json
import os
import sys
import zlib

import numpy as np

sys.path.insert(0, sys.argv[1])
import world as W  # noqa: E402

SEEDS = [41, 7, 1009]
SECONDS = 12


class Recorder:
    """A generator that remembers what it drew."""

    def __init__(self, rng):
        self.rng, self.drawn = rng, []

    def __getattr__(self, name):
        def draw(*args):
            value = getattr(self.rng, name)(*args)
            self.drawn.append(np.asarray(value).tolist())
            return value
        return draw


def background(world):
    """The parameters of a camera's background, in the order in which world.py draws them."""
    made = []
    plain = np.random.default_rng
    np.random.default_rng = lambda seed: made.append(Recorder(plain(seed))) or made[-1]
    try:
        picture = world.background()
    finally:
        np.random.default_rng = plain
    d = iter(made[0].drawn)
    out = dict(top=next(d), bottom=next(d), clutter=[])
    for _ in range(6):
        x, y, w, h, level, shift = (next(d) for _ in range(6))
        out["clutter"].append(dict(x=x, y=y, width=w, height=h, colour=[level + s for s in shift]))
    out.update(road=next(d), laneY=world.lane_y, lamp=world.lamp_xy)
    assert not list(d)
    return out, picture


def noise_free(world, state, frame):
    """The picture before gain and noise, quantised as render() quantises."""
    keep_noise, keep_rng = W.NOISE, world.rng

    class Still:
        integers = staticmethod(lambda n: 0)
        normal = staticmethod(lambda: 0.0)

    W.NOISE, world.rng = np.zeros((1, W.SIZE, W.SIZE, 1), np.float32), Still()
    try:
        return world.render(state)[frame].copy()
    finally:
        W.NOISE, world.rng = keep_noise, keep_rng


def exposed(world, state, gain):
    keep = world.rng

    class Fixed:
        integers = staticmethod(lambda n: 3)
        normal = staticmethod(lambda: (gain - 1) / 0.02)

    world.rng = Fixed()
    try:
        return world.render(state)[0].copy(), float(np.float32(1 + (gain - 1) / 0.02 * 0.02))
    finally:
        world.rng = keep


def interesting(seed):
    """The stretch of SECONDS seconds in which most sentences differ."""
    world = W.World(seed, 2.0)
    seconds = [world.step() for _ in range(600)]
    score = lambda i: len({" ".join(t.split()[1:4]) for t, _ in seconds[i:i + SECONDS]})
    start = max(range(600 - SECONDS), key=score)
    return world, seconds[start:start + SECONDS]


here = os.path.dirname(os.path.abspath(__file__))
blob, cameras = b"", []
for seed in SEEDS:
    world, seconds = interesting(seed)
    params, _ = background(world)
    frames = []
    for truth, state in seconds:
        for i in range(2):
            frames.append(dict(lamp=state["lamp"], vehicles=[
                dict(lane=lane, kind=kind, paint=color, x=float(x)) for lane, kind, color, x in state["frames"][i]]))
            blob += noise_free(world, state, i).tobytes()
    picture, gain = exposed(world, seconds[0][1], 1.0137)
    blob += picture.tobytes()
    cameras.append(dict(seed=seed, background=params, gain=gain, truth=[t for t, _ in seconds], frames=frames))
blob += W.NOISE[3].astype("<f4").tobytes()
with open(os.path.join(here, "road.json"), "w") as f:
    json.dump(dict(size=W.SIZE, cameras=cameras), f, indent=1)
    f.write("\n")
with open(os.path.join(here, "road.bin"), "wb") as f:
    f.write(zlib.compress(blob, 9))
