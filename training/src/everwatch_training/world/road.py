# SPDX-License-Identifier: Apache-2.0
"""A road: two lanes, a traffic light, one kind of vehicle that is counted."""

from .scene import FIRST, LAMP_TIME, Mover, Occluder, Scene, units
from .words import COLOUR_NAMES, ROUND, Fact, Question, number, text_question

KINDS = ("car", "bus", "bike")
PLURALS = {"car": "cars", "bus": "buses", "bike": "bikes"}
WIDTHS = {"car": 28, "bus": 46, "bike": 18}
LAMPS = ("green", "amber", "red")


class Road(Scene):
    ARRIVALS = 1  # with density 0.8 a free lane gets a vehicle after 6 seconds

    def __init__(self, seed, view, density, jump, bias, count):
        super().__init__(seed, view, density, jump, bias)
        drawn = KINDS[self.below(3, FIRST)]
        self.counted = count or drawn
        self.lamp = LAMPS[self.below(3, FIRST + 1)]
        self.lamp_seconds = 3 + self.below(12, FIRST + 2)
        self.lanes[0].y = 52 + self.place.below(10, 0, 0)
        self.lanes[1].y = 86 + self.place.below(10, 0, 1)
        if view.occluder != "none":
            edge = units(31) + view.inset
            x = edge + self.place.below(view.wide - 2 * edge, 0, 2)
            halves = (units(4), units(4)) if view.occluder == "post" else (units(11), units(3))
            self.occluder = Occluder(view.occluder, x, halves)
        self.count = Fact(0)
        self.last_counted = Fact("")  # colour
        self.entered = {}  # kind -> Fact of a colour
        self.gone = {}  # kind -> Fact of a side

    @property
    def instruction(self):
        return f" Watch the road and count the {PLURALS[self.counted]}."

    def _jump(self):
        """From here on the count is that of a stream much later; nothing told before holds."""
        self.count = Fact(self.jumps.below(ROUND + 1, self.second, 0), None, False)
        self.last_counted = Fact(COLOUR_NAMES[self.jumps.below(5, self.second, 1)], None, False)
        self.entered, self.gone = {}, {}

    def _left(self, vehicle):
        self.speech.say(f" The {vehicle.colour} {vehicle.what} leaves to the {vehicle.side}.")
        self.gone[vehicle.what] = Fact(vehicle.side, self.second)

    def _arrive(self, lane):
        if self.spoke:
            return False
        kind = self.lane_one_of(KINDS, lane, 1)
        if self.bias and self.lane_below(1000, lane, 9) < self.bias:
            kind = self.counted
        colour = self.lane_one_of(COLOUR_NAMES, lane, 2)
        to_right = bool(self.lane_below(2, lane, 4))
        speed = (units(10) + self.lane_below(units(12) + 1, lane, 3)) * (1 if to_right else -1)
        width = units(WIDTHS[kind])
        stop_x = units(30) + self.lane_below(self.view.wide - units(60), lane, 7)
        vehicle = Mover(
            kind,
            colour,
            width,
            speed,
            0,
            stop_x=stop_x if self.lane_below(1000, lane, 6) < 400 else None,
        )
        vehicle.x = self.entry(width, to_right, lane) - speed // self.view.fps
        lane.mover = vehicle
        self._tell_entry(vehicle)
        return True

    def _tell_entry(self, vehicle):
        self.speech.say(f" A {vehicle.colour} {vehicle.what}")
        if vehicle.what == self.counted:
            first = self.count.value == 0
            now = self.count.value % ROUND + 1
            self.speech.say(" number ").recall("number", number(now), self.count)
            if not first:
                self.speech.say(" after a ").recall(
                    "after", self.last_counted.value, self.last_counted
                ).say(" one")
            self.count = Fact(now, self.second)
            self.last_counted = Fact(vehicle.colour, self.second)
        self.speech.say(f" enters from the {vehicle.origin}.")
        self.entered[vehicle.what] = Fact(vehicle.colour, self.second)

    def _act(self, lane):
        vehicle = lane.mover
        if vehicle.standing:
            vehicle.seconds_left -= 1
            if vehicle.seconds_left <= 0 and not self.spoke:
                vehicle.standing = False
                self.speech.say(f" The {vehicle.colour} {vehicle.what} moves on.")
        elif self._wants_to_stop(vehicle, lane) and not self.spoke:
            vehicle.standing, vehicle.stop_x = True, None
            vehicle.seconds_left = 2 + self.lane_below(5, lane, 8)
            self.speech.say(f" The {vehicle.colour} {vehicle.what} stops.")

    def _wants_to_stop(self, vehicle, lane):
        """Whether it has passed its stopping place, well within the picture and in plain view."""
        return (
            vehicle.stop_x is not None
            and (vehicle.x - vehicle.stop_x) * vehicle.speed > 0
            and units(26) < vehicle.x < self.view.wide - units(26)
            and self.is_clear(vehicle.x, vehicle.width, lane.index)
        )

    def _finish(self):
        self.lamp_seconds -= 1
        if self.lamp_seconds <= 0 and not self.spoke:
            self.lamp = LAMPS[(LAMPS.index(self.lamp) + 1) % 3]
            self.lamp_seconds = (
                3 + self.below(3, LAMP_TIME)
                if self.lamp == "amber"
                else (8 + self.below(14, LAMP_TIME)) * 1000 // self.density
            )
            self.speech.say(f" The light turns {self.lamp}.")

    def _caption(self):
        text = f" light {self.lamp}."
        for seen in self.seen:
            text += f" A {seen.colour} {seen.what} " + (
                f"to the {seen.side}." if seen.moving else "stops."
            )
        return text

    def _questions(self):
        yield Question("What colour is the light?", f" {self.lamp}.", "sight")
        if self.all_plain():
            yield Question("How many vehicles do you see?", f" {number(len(self.seen))}.", "sight")
        yield text_question(
            f"How many {PLURALS[self.counted]} so far?", self.count, number(self.count.value)
        )
        for kind in KINDS:
            if kind in self.entered:
                fact = self.entered[kind]
                yield text_question(f"What colour was the last {kind}?", fact, fact.value)
            if kind in self.gone:
                fact = self.gone[kind]
                yield text_question(f"Which side did the last {kind} leave to?", fact, fact.value)
