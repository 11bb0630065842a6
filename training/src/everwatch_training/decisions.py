# SPDX-License-Identifier: Apache-2.0
"""Which tokens of a sentence are decisions, and what each is called in the log.

A decision is named by the class of the word before it and its own: `kind>number` is a number said
where one is due, `kind>enters` none said where none is due. An average over both would hide a model
that always gives the more frequent answer.
"""

import re
from collections import defaultdict
from itertools import pairwise

from .world import words as vocabulary
from .world.door import ITEMS
from .world.road import KINDS

WORD = re.compile(r"\w+|[^\w\s]+")
CLASSES = {
    **dict.fromkeys(vocabulary.COLOUR_NAMES, "colour"),
    **dict.fromkeys((*vocabulary.NUMBERS, "none"), "count"),
    **dict.fromkeys(KINDS, "kind"),
    **dict.fromkeys(ITEMS, "item"),
    **dict.fromkeys(("left", "right"), "side"),
}
START = "turn"
SILENCE = "silence"
WORDS = "words"  # of texts whose words have no classes


def classes(text: str) -> list[tuple[str, int, int]]:
    """Class of each word with its span; a word without a class is its own."""
    return [(CLASSES.get(m[0], m[0]), m.start(), m.end()) for m in WORD.finditer(text)]


class Decisions:
    """Learns from sample texts after which words there is a choice.

    Attributes:
        names: of all decisions, by their codes; code 0 is none
        gates: transitions at which a word that only memory tells begins, or does not although it
            begins so in other sentences
    """

    def __init__(self, texts: list[str]):
        followers = defaultdict(set, {START: {SILENCE, WORDS}})
        self.gates: set[tuple[str, str]] = set()
        for text in texts:
            names = transitions(text)
            for before, name in names:
                followers[before].add(name)
            bare = transitions(vocabulary.bare(text))
            for pair, instead in zip(names, bare, strict=False):
                if pair != instead:
                    self.gates |= {pair, instead}
                    break
        chosen = (
            f"{before}>{name}"
            for before, after in followers.items()
            for name in after
            if len(after) > 1 or name in CLASSES.values()
        )
        self.names = ["none", *sorted(chosen)]
        self._codes = {name: code for code, name in enumerate(self.names)}

    def code(self, before: str, name: str) -> int:
        """0: no choice there."""
        return self._codes.get(f"{before}>{name}", 0)

    def of(self, text: str) -> dict[int, tuple[int, bool]]:
        """By the end of each word of a turn: the code of its decision, and whether it is a gate."""
        return {
            end: (self.code(*pair), pair in self.gates)
            for pair, (_, _, end) in zip(transitions(text), classes(text), strict=True)
        }


def transitions(text: str) -> list[tuple[str, str]]:
    """Class of the word before and of the word, for each word of a turn."""
    return list(pairwise([START, *(name for name, _, _ in classes(text))]))
