# SPDX-License-Identifier: Apache-2.0
"""A door: people go in, come out or pass by; how many are inside; bags or parcels are counted."""

from .scene import FIRST, Mover, Occluder, Scene, units
from .words import COLOUR_NAMES, ROUND, Fact, Question, number, text_question

PERSON_WIDTH = 12
ITEMS = ("bag", "parcel")
PLURALS = {"bag": "bags", "parcel": "parcels"}
FULL = 20  # nobody goes in beyond it
DOOR_HALF = 12
IN, OUT, PASS = "in", "out", "pass"


class Door(Scene):
    ARRIVALS = 4  # people come more often than vehicles

    def __init__(self, seed, view, density, jump, bias, count):
        super().__init__(seed, view, density, jump, bias)
        drawn = ITEMS[self.below(2, FIRST)]
        self.counted = count or drawn
        self.lanes[0].y = 88 + self.place.below(5, 0, 0)
        self.lanes[1].y = 100 + self.place.below(6, 0, 1)
        self.door_x = view.wide * 3 // 8 + self.place.below(view.wide // 4, 0, 2)
        if view.occluder != "none":
            # In the middle of the wider side; slim where it would hide who leaves.
            right = 2 * self.door_x < view.wide
            border = view.wide if right else 0
            x = (self.door_x + units(DOOR_HALF if right else -DOOR_HALF) + border) // 2
            wide = view.occluder == "tree" and abs(border - x) >= units(7 + 14) + view.inset
            half = units(7 if wide else 4)
            self.occluder = Occluder(view.occluder, x, (half, half))
        self.inside_now = Fact(0)
        self.count = Fact(0)
        self.went_in = None  # Fact of a colour
        self.came_out = None
        self.gone = None  # Fact of a side

    @property
    def instruction(self):
        return f" Watch the door and count the {PLURALS[self.counted]}."

    def _jump(self):
        """From here on the counts are those of a stream much later; nothing told before holds."""
        under_way = sum(lane.mover is not None and lane.mover.role == IN for lane in self.lanes)
        self.inside_now = Fact(self.jumps.below(FULL + 1 - under_way, self.second, 0), None, False)
        self.count = Fact(self.jumps.below(ROUND + 1, self.second, 1), None, False)
        self.went_in = self.came_out = self.gone = None

    def _left(self, person):
        self.speech.say(f" The person in {person.colour} leaves to the {person.side}.")
        self.gone = Fact(person.side, self.second)

    def _arrive(self, lane):
        role = (IN, IN, OUT, OUT, PASS)[self.lane_below(5, lane, 6)]
        under_way = sum(other.mover is not None and other.mover.role == IN for other in self.lanes)
        if role == IN and self.inside_now.value + under_way >= FULL:
            role = OUT
        elif role == OUT and self.inside_now.value == 0:
            role = IN
        if role == OUT and (self.spoke or not self._door_is_free(lane)):
            return False
        item = ("", "", "bag", "parcel")[self.lane_below(4, lane, 1)]
        if self.bias and self.lane_below(1000, lane, 9) < self.bias:
            item = self.counted
        colour = self.lane_one_of(COLOUR_NAMES, lane, 2)
        to_right = bool(self.lane_below(2, lane, 4))
        speed = (units(8) + self.lane_below(units(8) + 1, lane, 3)) * (1 if to_right else -1)
        width = units(PERSON_WIDTH)
        person = Mover(
            "person",
            colour,
            width,
            speed,
            0,
            item=item,
            role=role,
            goal=self.door_x if role == IN else None,
        )
        start = self.door_x if role == OUT else self.entry(width, to_right, lane)
        person.x = start - speed // self.view.fps
        lane.mover = person
        if role == OUT:
            self._tell_passage(person, "comes out", -1)
            self.came_out = Fact(colour, self.second)
        return True

    def _door_is_free(self, lane):
        """Whether nobody in front hides who passes the door, now or in the frame before."""
        front = self.lanes[1].mover
        return (
            lane.index == 1
            or front is None
            or abs(front.x - self.door_x) >= units(18) + abs(front.speed)
        )

    def _act(self, lane):
        person = lane.mover
        if person.x == person.goal:
            person.standing = True
            if not self.spoke and self._door_is_free(lane):
                self._tell_passage(person, "goes in", 1)
                self.went_in = Fact(person.colour, self.second)
                self._clear(lane)

    def _tell_passage(self, person, verb, change):
        self.speech.say(f" A person in {person.colour}")
        if person.item:
            self.speech.say(f" with a {person.item}")
        if person.item == self.counted:
            now = self.count.value % ROUND + 1
            self.speech.say(" number ").recall("number", number(now), self.count)
            self.count = Fact(now, self.second)
        now = self.inside_now.value + change
        self.speech.say(f" {verb}, ").recall("inside", number(now), self.inside_now).say(" inside.")
        self.inside_now = Fact(now, self.second)

    def _finish(self):
        pass

    def _caption(self):
        text = ""
        for seen in self.seen:
            text += f" A person in {seen.colour}" + (f" with a {seen.item}" if seen.item else "")
            text += f" to the {seen.side}." if seen.moving else " stops."
        return text or " none."

    def _questions(self):
        apart = (
            len(self.seen) < 2
            or abs(self.seen[0].xs[-1] - self.seen[1].xs[-1]) >= units(PERSON_WIDTH) // 2
        )
        if apart and self.all_plain():
            yield Question("How many people do you see?", f" {number(len(self.seen))}.", "sight")
        yield text_question(
            "How many people are inside?", self.inside_now, number(self.inside_now.value)
        )
        yield text_question(
            f"How many {PLURALS[self.counted]} so far?", self.count, number(self.count.value)
        )
        if self.went_in:
            yield text_question("What colour went in last?", self.went_in, self.went_in.value)
        if self.came_out:
            yield text_question("What colour came out last?", self.came_out, self.came_out.value)
        if self.gone:
            yield text_question(
                "Which side did the last person leave to?", self.gone, self.gone.value
            )
