# SPDX-License-Identifier: Apache-2.0
"""The words of the scenes, and what only memory tells in a sentence."""

import re
from dataclasses import dataclass

COLOURS = {
    "red": (215, 30, 30),
    "blue": (30, 70, 225),
    "green": (20, 160, 50),
    "yellow": (235, 205, 20),
    "white": (245, 245, 245),
}
COLOUR_NAMES = tuple(COLOURS)
NUMBERS = (
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
)
ROUND = len(NUMBERS)  # a count goes in rounds: after "twenty" comes "one"

_MEMORY = re.compile(r" number \w+| after a \w+ one|, \w+ inside")


def number(n):
    """0 to 20 as a word."""
    return NUMBERS[n - 1] if n else "none"


def bare(sentence):
    """The sentence without the parts that only memory tells."""
    return _MEMORY.sub("", sentence)


@dataclass
class Fact:
    """A value that the sentences told.

    told: the second in which they last did; None = it follows from nothing having been said yet.
    known: whether the sentences since the start (or the jump) tell it.
    """

    value: object
    told: int | None = None
    known: bool = True


@dataclass(frozen=True)
class Due:
    """A part of a second's sentence that only memory tells.

    what: "number" (the running count), "after" (colour of the counted vehicle before), "inside".
    The word is sentence[start:end]. known, told: of the fact that it follows from.
    """

    what: str
    start: int
    end: int
    known: bool
    told: int | None


@dataclass(frozen=True)
class Question:
    """What may be asked at the end of a second, with the true answer.

    source: "sight" or "text". told, known: for text, as in Fact.
    """

    text: str
    answer: str
    source: str
    known: bool = True
    told: int | None = None


def text_question(text, fact, word):
    return Question(text, f" {word}.", "text", fact.known, fact.told)


class Speech:
    """The sentence of one second while it is made."""

    def __init__(self):
        self.text = ""
        self.due = []

    def say(self, text):
        self.text += text
        return self

    def recall(self, what, word, fact):
        """A word that follows from `fact`."""
        start = len(self.text)
        self.text += word
        self.due.append(Due(what, start, len(self.text), fact.known, fact.told))
        return self
