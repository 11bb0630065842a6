# SPDX-License-Identifier: Apache-2.0
"""Pictures of a scene, in integers: boxes on a background, then light, gain and noise."""

from functools import lru_cache

import numpy as np

from .dice import NOISE, PLACE, SENSOR, Dice
from .door import DOOR_HALF
from .view import LIGHTS, UNIT
from .words import COLOURS

LAMP_COLOURS = {"green": (20, 230, 60), "amber": (255, 170, 0), "red": (250, 20, 20)}
GLASS, TYRE, HUB, LAMP_CASE, LANE_MARK = (
    (170, 210, 230),
    (15,) * 3,
    (120,) * 3,
    (25,) * 3,
    (200,) * 3,
)
STEEL, BARK, LEAVES = (110, 110, 115), (85, 60, 40), (40, 90, 45)
SKIN, TROUSERS, LEATHER, CARDBOARD, TAPE = (
    (225, 180, 150),
    (40, 40, 55),
    (120, 70, 30),
    (205, 160, 95),
    (150, 110, 60),
)
DOOR_FRAME, DOORWAY = (215, 205, 190), (35, 30, 30)
BELOW = 128  # units: lower than any shaken picture

NOISE_VALUES = 1 << 18
# Of a draw of deviation 147.8, in 65536ths: a grey level; a thousandth of a gain of 1024.
NOISE_SCALE, GAIN_SCALE = 443, 454


class Canvas:
    """A picture with `shake` more pixels on each side."""

    def __init__(self, view):
        self.view = view
        self.margin = view.shake
        self.pixels = np.empty(
            (view.height + 2 * self.margin, view.width + 2 * self.margin, 3), np.uint8
        )

    def box(self, left, right, top, bottom, colour):
        """Edges in 256ths of a unit; a pixel belongs to the box that covers more than half."""
        edge = self.view.pixel
        m = self.margin
        self.pixels[
            max(0, edge(top) + m) : max(0, edge(bottom) + m),
            max(0, edge(left) + m) : max(0, edge(right) + m),
        ] = colour

    def part(self, x, y, left, right, top, bottom, colour):
        """A box whose edges are given in units from (x, y), x in 256ths."""
        self.box(x + left * UNIT, x + right * UNIT, (y + top) * UNIT, (y + bottom) * UNIT, colour)


@lru_cache(maxsize=16)
def noise_table(deviation):
    """int16 [3 * NOISE_VALUES]: each value three times, for the channels."""
    bells = Dice(0, NOISE).bells(NOISE_VALUES).astype(np.int32)
    return np.repeat(((bells * (deviation * NOISE_SCALE) + 32768) >> 16).astype(np.int16), 3)


class Picture:
    """Paints one camera. `scene`: of which only what never changes is read."""

    def __init__(self, seed, view, scene):
        self.view = view
        self.place = Dice(seed, PLACE)
        self.sensor = Dice(seed, SENSOR)
        self.scene = scene
        self.dim = LIGHTS[view.light]
        self.palette = {}
        self.stills = {}
        self.occluders = [(edges, self._lit(colour)) for edges, colour in self._occluder()]

    def _lit(self, colour):
        """A surface's colour under the scene's light."""
        if colour not in self.palette:
            self.palette[colour] = np.array(
                [c * d >> 8 for c, d in zip(colour, self.dim, strict=True)], np.uint8
            )
        return self.palette[colour]

    # ------------------------------------------------------------------ what never moves
    def _still(self, lamp):
        if lamp not in self.stills:
            canvas = Canvas(self.view)
            self._gradient(canvas)
            (self._road if lamp else self._door)(canvas)
            canvas.pixels[:] = (canvas.pixels * np.array(self.dim, np.uint32)) >> 8
            if lamp:
                x, y = self.lamp_place()
                canvas.part(x, y, -8, 8, -9, 9, self._lit(LAMP_CASE))
                canvas.part(x, y, -5, 5, -6, 6, LAMP_COLOURS[lamp])  # shines by itself
            self.stills[lamp] = canvas
        return self.stills[lamp]

    def _colour(self, low, span, field):
        return tuple(low + self.place.below(span, 0, field + c) for c in range(3))

    def _gradient(self, canvas):
        last = canvas.pixels.shape[0] - 1
        y = np.arange(last + 1, dtype=np.int64)[:, None]
        top, bottom = (np.array(self._colour(90, 100, field)) for field in (3, 6))
        canvas.pixels[:] = ((top * (last - y) + bottom * y) // last)[:, None]

    def _clutter(self, canvas, lowest, tallest):
        units_wide = self.view.wide // UNIT
        for i in range(6):

            def draw(n, field, index=i + 1):
                return self.place.below(n, index, field)

            x, y, w, h, level = (
                draw(units_wide, 0),
                draw(lowest, 1),
                6 + draw(20, 2),
                6 + draw(tallest - 6, 3),
                draw(120, 4),
            )
            colour = tuple(45 + level + draw(50, 5 + c) for c in range(3))
            canvas.part(x * UNIT, y, 0, w, 0, h, colour)

    def _across(self, canvas, top, bottom, colour):
        canvas.box(-64 * UNIT, self.view.wide + 64 * UNIT, top * UNIT, bottom * UNIT, colour)

    def _road(self, canvas):
        self._clutter(canvas, 40, 26)
        grey = (60 + self.place.below(35, 0, 9),) * 3
        upper, lower = (lane.y for lane in self.scene.lanes)
        self._across(canvas, upper - 14, upper + 14, grey)
        self._across(canvas, lower - 14, lower + 14, grey)
        self._across(canvas, upper + 15, upper + 17, LANE_MARK)

    def lamp_place(self):
        return (
            10 + self.place.below(self.view.wide // UNIT - 22, 0, 10)
        ) * UNIT, 12 + self.place.below(10, 0, 11)

    def _door(self, canvas):
        self._clutter(canvas, 18, 18)
        back = self.scene.lanes[0].y
        self._across(canvas, back - 3, BELOW, (70 + self.place.below(35, 0, 9),) * 3)
        x, half = self.scene.door_x, DOOR_HALF
        canvas.part(x, back, -half - 2, half + 2, -48, 0, DOOR_FRAME)
        canvas.part(x, back, -half, half, -45, 0, DOORWAY)

    def _occluder(self):
        kind, x = self.scene.occluder.kind, self.scene.occluder.x
        halves = [half // UNIT for half in self.scene.occluder.halves]
        if kind == "post":
            return [((x, 0, -halves[0], halves[0], 36, BELOW), STEEL)]
        if kind == "tree" and halves[0] != halves[1]:
            return [
                ((x, 0, -halves[1], halves[1], 80, BELOW), BARK),
                ((x, 0, -halves[0], halves[0], 36, 80), LEAVES),
            ]
        if kind == "tree":
            return [((x, 0, -5, 5, 96, 110), BARK), ((x, 0, -halves[0], halves[0], 54, 96), LEAVES)]
        return []

    # ------------------------------------------------------------------ what moves
    def _draw(self, canvas, seen, frame):
        x, y, colour = seen.xs[frame], seen.y, self._lit(COLOURS[seen.colour])
        if seen.what == "person":
            self._person(canvas, x, y, colour, 1 if seen.side == "right" else -1, seen.item)
        else:
            for left, right, top, bottom, paint in VEHICLES[seen.what]:
                canvas.box(
                    x + left,
                    x + right,
                    y * UNIT + top,
                    y * UNIT + bottom,
                    colour if paint is None else self._lit(paint),
                )

    def _person(self, canvas, x, y, colour, facing, item):
        canvas.part(x, y, -4, -1, -12, 0, self._lit(TROUSERS))
        canvas.part(x, y, 1, 4, -12, 0, self._lit(TROUSERS))
        canvas.part(x, y, -6, 6, -28, -12, colour)
        canvas.part(x, y, -3, 3, -36, -28, self._lit(SKIN))
        for name, near, far, top, bottom, paint in ITEM_PARTS:
            if name == item:
                canvas.part(
                    x,
                    y,
                    min(facing * near, facing * far),
                    max(facing * near, facing * far),
                    top,
                    bottom,
                    self._lit(paint),
                )

    def shift(self, frame):
        """By how much frame number `frame` of the stream is shaken, to the right and down."""
        m = self.view.shake
        return self.sensor.below(2 * m + 1, frame, 2) - m, self.sensor.below(
            2 * m + 1, frame, 3
        ) - m

    def render(self, second):
        """uint8 [fps, H, W, 3]"""
        view = self.view
        still = self._still(second.lamp)
        canvas = Canvas(view)
        out = np.empty((view.fps, view.height, view.width, 3), np.uint8)
        for i in range(view.fps):
            canvas.pixels[:] = still.pixels
            for seen in second.movers:
                self._draw(canvas, seen, i)
            for edges, colour in self.occluders:
                canvas.part(*edges, colour)
            frame = second.index * view.fps + i
            right, down = self.shift(frame)
            top, left = view.shake - down, view.shake - right
            self._expose(
                canvas.pixels[top : top + view.height, left : left + view.width], frame, out[i]
            )
        return out

    def _expose(self, pixels, frame, out):
        gain = 1024 + (self.sensor.bell(frame, 0) * self.view.flicker * GAIN_SCALE + 32768 >> 16)
        values = (np.arange(256, dtype=np.int32) * gain >> 10).astype(np.int16)[pixels]
        count = self.view.width * self.view.height
        start = 3 * self.sensor.below(NOISE_VALUES - count, frame, 1)
        values += noise_table(self.view.noise)[start : start + 3 * count].reshape(values.shape)
        np.clip(values, 0, 255, out=values)
        out[:] = values


def _vehicle(*parts):
    return tuple(
        (int(left * UNIT), int(right * UNIT), top * UNIT, bottom * UNIT, paint)
        for left, right, top, bottom, paint in parts
    )


# Edges in units from the middle, and the paint; None = the vehicle's own.
VEHICLES = {
    "car": _vehicle(
        (-14, 14, -1, 5, None),
        (-8, 8, -7, -1, None),
        (-6, 6, -6, -2, GLASS),
        (-10, -5, 3, 7, TYRE),
        (5, 10, 3, 7, TYRE),
    ),
    "bus": _vehicle(
        (-23, 23, -11, 9, None),
        *((-20 + 8.5 * k, -14 + 8.5 * k, -8, -2, GLASS) for k in range(5)),
        (-17, -11, 7, 11, TYRE),
        (11, 17, 7, 11, TYRE),
    ),
    "bike": _vehicle(
        *((x, x + 8, 1, 9, TYRE) for x in (-9, 1)),
        *((x + 2, x + 6, 3, 7, HUB) for x in (-9, 1)),
        (-5, 5, -2, 2, None),
        (-3, 3, -9, 0, None),
    ),
}
# Edges in units from the feet, near and far in the direction of walking.
ITEM_PARTS = (
    ("bag", 5, 11, -17, -9, LEATHER),
    ("parcel", 4, 13, -27, -18, CARDBOARD),
    ("parcel", 8, 9, -27, -18, TAPE),
)
