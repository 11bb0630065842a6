# SPDX-License-Identifier: Apache-2.0
"""What all scenes share: two lanes, each with at most one mover, and the order of a second.

Lengths are 256ths of a unit, speeds 256ths of a unit per second. A mover's place is that of the
last frame shown; frame i of a second with f frames shows `place + floor(speed (i + 1) / f)`.
"""

from dataclasses import dataclass, field

from .dice import EVENTS, JUMP, PLACE, Dice
from .view import UNIT
from .words import Speech

LANE_FIELDS = 16  # draws of lane l in a second: fields 16 l .. 16 l + 15; common ones from 32 on
ORDER, LAMP_TIME, FIRST = 32, 33, 40


@dataclass
class Mover:
    what: str
    colour: str
    width: int
    speed: int
    x: int
    item: str = ""
    role: str = ""
    stop_x: int | None = None  # a vehicle halts behind it
    goal: int | None = None  # a person halts there
    standing: bool = False
    seconds_left: int = 0

    @property
    def side(self):
        """Where it is going."""
        return "right" if self.speed > 0 else "left"

    @property
    def origin(self):
        return "left" if self.speed > 0 else "right"


@dataclass
class Lane:
    index: int
    y: int  # units: of a road's lane the middle, of a floor the feet
    open_from: int = 0  # the first second in which somebody may come
    waiting: bool = False  # somebody would have come, but another event went first
    mover: Mover | None = None


@dataclass(frozen=True)
class Seen:
    """A mover during one second; `xs`: its middle in each frame, may lie outside the picture."""

    lane: int
    y: int
    what: str
    colour: str
    item: str
    side: str
    moving: bool
    width: int
    xs: tuple


@dataclass(frozen=True)
class Second:
    """One second of a camera: see `Camera`."""

    index: int
    sentence: str
    due: tuple
    caption: str
    questions: tuple
    movers: tuple  # of Seen, in the order of lanes
    lamp: str


@dataclass(frozen=True)
class Occluder:
    """Stands before the lanes; `halves`: half its width before each lane."""

    kind: str
    x: int = 0
    halves: tuple = field(default=(0, 0))


class Scene:
    """State machine of one scene. Subclasses say who comes, what happens and what is told."""

    def __init__(self, seed, view, density, jump, bias):
        self.dice = Dice(seed, EVENTS)
        self.place = Dice(seed, PLACE)
        self.jumps = Dice(seed, JUMP)
        self.view = view
        self.density = int(density * 1000 + 0.5)
        if not 50 <= self.density <= 10000:
            raise ValueError(f"density {density} of a scene; expected 0.05 to 10, usual is 0.8")
        self.jump = jump
        self.bias = int(bias * 1000 + 0.5)
        self.second = 0
        self.lamp = ""
        self.lanes = [Lane(0, 0), Lane(1, 0)]
        self.occluder = Occluder("none")
        self.speech = Speech()
        self.seen = []

    # ------------------------------------------------------------------ draws of this second
    def below(self, n, field_):
        return self.dice.below(n, self.second, field_)

    def lane_below(self, n, lane, field_):
        return self.below(n, LANE_FIELDS * lane.index + field_)

    def lane_one_of(self, values, lane, field_):
        return values[self.lane_below(len(values), lane, field_)]

    # ------------------------------------------------------------------ geometry
    def inside(self, x, width):
        """How much of a mover lies within the picture, shaken or not."""
        low = max(self.view.inset, x - width // 2)
        high = min(self.view.wide - self.view.inset, x + width // 2)
        return max(0, high - low)

    def hidden(self, x, width, lane):
        """How much of a mover the occluder hides."""
        half = self.occluder.halves[lane]
        if not half:
            return 0
        return max(
            0,
            min(x + width // 2, self.occluder.x + half)
            - max(x - width // 2, self.occluder.x - half),
        )

    def is_clear(self, x, width, lane):
        return 2 * self.hidden(x, width, lane) <= width

    def entry(self, width, to_right, lane):
        """A place from which 40 % or more is seen."""
        shown = (103 + self.lane_below(153, lane, 5)) * width // 256
        if to_right:
            return self.view.inset + shown - width // 2
        return self.view.wide - self.view.inset - shown + width // 2

    def next_x(self, mover):
        return mover.x + mover.speed // self.view.fps

    def all_plain(self):
        """Whether every mover is seen by 30 % or more in the last frame."""
        return all(
            10 * (self.inside(m.xs[-1], m.width) - self.hidden(m.xs[-1], m.width, m.lane))
            >= 3 * m.width
            for m in self.seen
        )

    # ------------------------------------------------------------------ one second
    def step(self):
        if self.jump == self.second:
            self._jump()
        self.speech = Speech()
        self.seen = []
        # Forced departures first, so that the rule of one event a second can see them.
        order = [lane for lane in self.lanes if not self._depart(lane)]
        if self.below(2, ORDER):
            order.reverse()
        for lane in order:
            if lane.mover is None:
                self._await(lane)
            else:
                self._act(lane)
            if lane.mover is not None:
                self._move(lane)
        self._finish()
        self.seen.sort(key=lambda seen: seen.lane)
        second = Second(
            self.second,
            self.speech.text,
            tuple(self.speech.due),
            self._caption(),
            tuple(self._questions()),
            tuple(self.seen),
            self.lamp,
        )
        self.second += 1
        return second

    @property
    def spoke(self):
        return bool(self.speech.text)

    def _depart(self, lane):
        mover = lane.mover
        if (
            mover is None
            or mover.standing
            or 10 * self.inside(self.next_x(mover), mover.width) >= 3 * mover.width
        ):
            return False
        self._left(mover)
        self._clear(lane)
        return True

    def _clear(self, lane):
        lane.mover = None
        lane.open_from = self.second + 2  # one second of emptiness at least

    def _await(self, lane):
        if self.second < lane.open_from:
            return
        arrivals = self.density * self.ARRIVALS
        if lane.waiting or self.lane_below(10000 + arrivals, lane, 0) < 2 * arrivals:
            lane.waiting = not self._arrive(lane)

    def _move(self, lane):
        mover, fps = lane.mover, self.view.fps
        speed = 0 if mover.standing else mover.speed
        xs = tuple(mover.x + speed * (i + 1) // fps for i in range(fps))
        if mover.goal is not None:
            nearer = min if speed > 0 else max
            xs = tuple(nearer(x, mover.goal) for x in xs)
        mover.x = xs[-1]
        self.seen.append(
            Seen(
                lane.index,
                lane.y,
                mover.what,
                mover.colour,
                mover.item,
                mover.side,
                not mover.standing,
                mover.width,
                xs,
            )
        )


def units(n):
    return n * UNIT
