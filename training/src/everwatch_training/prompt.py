# SPDX-License-Identifier: Apache-2.0
"""A training sample: one stretch of a stream as the engine would hold it, with its losses."""

from dataclasses import dataclass, field

import numpy as np

from .frames import MERGE, Clip
from .grammar import Grammar

SILENCE, EVENT, ANSWER, CAPTION = range(1, 5)
TURNS = {SILENCE: "silence", EVENT: "events", ANSWER: "answers", CAPTION: "captions"}


@dataclass
class Sample:
    """Token by token.

    Attributes:
        ids: [n]
        weights: float32 [n], of the loss on this token; 0: none
        decisions: int16 [n], code of the decision that the token is; 0: none
        turns: int8 [n], the kind of the supervised turn that the token is part of; 0: none
        positions: float32 [3, n]
        clips: in the order of their pads
        seconds: of video
    """

    ids: np.ndarray
    weights: np.ndarray
    decisions: np.ndarray
    turns: np.ndarray
    positions: np.ndarray
    clips: list[Clip]
    seconds: int = 0

    def __len__(self) -> int:
        return len(self.ids)


@dataclass
class Prompt:
    """Grows part by part; positions are contiguous (StreamingVLM section 8.1).

    A text token takes the running value on all three axes; a clip's token (a, r, c) takes
    `N + a * step, N + r, N + c`, and the text behind it goes on one above the largest.
    """

    grammar: Grammar
    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    decisions: list[int] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)
    clips: list[Clip] = field(default_factory=list)
    seconds: int = 0
    _positions: list[np.ndarray] = field(default_factory=list)
    _next: float = 0.0

    def text(self, ids, weights=None, decisions=None, turn: int = 0) -> None:
        n = len(ids)
        self._place(np.broadcast_to(self._next + np.arange(n, dtype=np.float64), (3, n)))
        self._next += n
        self.ids.extend(ids)
        self.weights.extend(weights if weights is not None else (0.0,) * n)
        self.decisions.extend(decisions if decisions is not None else (0,) * n)
        self.turns.extend((turn,) * n)

    def jump(self, positions: int) -> None:
        """Leaves positions out, as if a clip stood here."""
        self._next += positions

    def vision(self, clip: Clip) -> None:
        n = clip.tokens
        pads = self.grammar.vision(n)
        self.text(pads[:1])
        height, width = clip.height // MERGE, clip.width // MERGE
        times = np.arange(clip.pairs, dtype=np.float32) * np.float32(clip.time_step)
        t, r, c = np.meshgrid(times, np.arange(height), np.arange(width), indexing="ij")
        self._place(self._next + np.stack([t, r, c]).reshape(3, n).astype(np.float64))
        self._next += 1 + max(float(times[-1]), height - 1, width - 1)
        self.ids.extend(pads[1:-1])
        for column in (self.weights, self.decisions, self.turns):
            column.extend((0,) * n)
        self.text(pads[-1:])
        self.clips.append(clip)

    def head(self, memory) -> None:
        """System turn and the text memory; `memory` is already cut."""
        self.text(self.grammar.system)
        self.text(self.grammar.memory_open)
        self.text(memory)
        self.text(self.grammar.memory_close)

    def ask(self, chunk: int, clip: Clip | None, question: str = "") -> None:
        """One user turn and the header of its answer."""
        self.text(self.grammar.user_open)
        self.text(self.grammar.marker(chunk))
        if clip is not None:
            self.vision(clip)
            self.seconds += 1
        self.text(self.grammar.text(question))
        self.text(self.grammar.user_close)
        self.text(self.grammar.assistant_open)

    def answer(self, turn, weights=None, decisions=None, kind: int = 0) -> None:
        """The ids of one assistant turn, and the newline behind it."""
        self.text(turn, weights, decisions, kind)
        self.text(self.grammar.assistant_close)

    def sample(self) -> Sample:
        return Sample(
            np.array(self.ids, np.int64),
            np.array(self.weights, np.float32),
            np.array(self.decisions, np.int16),
            np.array(self.turns, np.int8),
            np.concatenate(self._positions, axis=1),
            self.clips,
            self.seconds,
        )

    def _place(self, positions: np.ndarray) -> None:
        self._positions.append(positions.astype(np.float32))
