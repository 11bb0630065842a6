# SPDX-License-Identifier: Apache-2.0
"""A stream served as Everwatch serves it, in a few lines: greedy, one stream, float32.

Keys are kept without rotation; positions are counted anew over what is retained. It judges a
checkpoint before the Java side sees it; what the product says is `everwatch evaluate`'s to judge.
"""

import copy
from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .frames import Clip
from .grammar import Grammar
from .model import Network, rotate
from .prompt import Prompt
from .recipe import Streaming

HEAD, MEMORY, MEMORY_CLOSE, USER, TURN, CLOSE = range(6)


@dataclass
class Segment:
    """Rows that entered together.

    Attributes:
        round: in which they entered; -1: the head
        clip: whose tokens they are
    """

    kind: int
    round: int
    ids: list[int]
    clip: Clip | None = None


@dataclass
class Stream:
    """One endless stream and its memory."""

    network: Network
    grammar: Grammar
    streaming: Streaming
    instruction: str
    max_new_tokens: int = 24
    segments: list[Segment] = field(default_factory=list)
    keys: list[Tensor] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)
    round: int = 0

    def __post_init__(self):
        text = self.network.text_config
        empty = torch.zeros(1, text.num_key_value_heads, 0, self.network.head_dim)
        self.keys = [empty] * text.num_hidden_layers
        self.values = [empty] * text.num_hidden_layers
        memory = list(self.grammar.text(self.instruction))
        self.new = [
            Segment(HEAD, -1, [*self.grammar.system, *self.grammar.memory_open]),
            Segment(MEMORY, -1, memory),
            Segment(MEMORY_CLOSE, -1, list(self.grammar.memory_close)),
        ]

    @torch.no_grad()
    def answer(self, clip: Clip, question: str = "") -> str:
        """What the model says of the next second; "" is silence."""
        grammar = self.grammar
        if self.round:
            self._compact()
            self.new.append(Segment(CLOSE, self.round - 1, list(grammar.assistant_close)))
        marker = [*grammar.user_open, *grammar.marker(self.round)]
        behind = [*grammar.text(question), *grammar.user_close, *grammar.assistant_open]
        self.new += [
            Segment(USER, self.round, marker),
            Segment(USER, self.round, list(grammar.vision(clip.tokens)), clip),
            Segment(USER, self.round, behind),
        ]
        ids = [i for segment in self.new for i in segment.ids]
        self.segments += self.new
        logits = self._feed(ids, self.network.vision([clip]))
        turn = Segment(TURN, self.round, [])
        self.segments.append(turn)
        end = (grammar.im_end, grammar.end_of_text)
        while (token := int(logits.argmax())) not in end and len(turn.ids) < self.max_new_tokens:
            turn.ids.append(token)
            logits = self._feed([token], None)
        # What closes the turn enters with the next round: its rows are not computed yet.
        pause = [] if token in end or turn.ids[-1] == grammar.pause else [grammar.pause]
        self.new = [Segment(CLOSE, self.round, [*pause, grammar.im_end])]
        self.round += 1
        return grammar.decode(grammar.words(turn.ids))

    def fork(self) -> "Stream":
        """A stream of its own with the same memory: for a question that leaves no trace."""
        other = copy.copy(self)
        other.segments = [replace(segment, ids=list(segment.ids)) for segment in self.segments]
        other.keys, other.values = list(self.keys), list(self.values)
        other.new = list(self.new)
        return other

    def rows(self) -> int:
        return sum(len(segment.ids) for segment in self.segments)

    def _compact(self) -> None:
        """Oldest round out, its words to the memory, the memory cut to sink and window."""
        gone = self.round - self.streaming.rounds
        rows, at = [], 0
        for segment in self.segments:
            rows.append((segment, range(at, at + len(segment.ids))))
            at += len(segment.ids)
        stay, moved, close = [], [], 0
        for segment, place in rows:
            if segment.kind == MEMORY_CLOSE:
                close = len(stay)
            if segment.round < 0 or segment.round > gone:
                stay.append((segment, place))
            elif segment.kind == TURN:
                n = len(self.grammar.words(segment.ids))
                if n:
                    moved.append((Segment(MEMORY, -1, segment.ids[:n]), place[:n]))
        stay[close:close] = moved
        self._keep(self._cut(stay))

    def _cut(self, rows: list[tuple[Segment, range]]) -> list[tuple[Segment, range]]:
        sink, window = self.streaming.text_sink, self.streaming.text_window
        total = sum(len(segment.ids) for segment, _ in rows if segment.kind == MEMORY)
        if total <= sink + window:
            return rows
        kept, at = [], 0
        for segment, place in rows:
            if segment.kind != MEMORY:
                kept.append((segment, place))
                continue
            for low, high in ((0, sink), (total - window, total)):
                part = slice(max(0, low - at), max(0, high - at))
                if segment.ids[part]:
                    kept.append((replace(segment, ids=segment.ids[part]), place[part]))
            at += len(segment.ids)
        return kept

    def _keep(self, rows: list[tuple[Segment, range]]) -> None:
        index = torch.tensor([row for _, place in rows for row in place])
        self.segments = [segment for segment, _ in rows]
        self.keys = [key[:, :, index] for key in self.keys]
        self.values = [value[:, :, index] for value in self.values]

    def _positions(self) -> np.ndarray:
        prompt = Prompt(self.grammar)
        for segment in self.segments:
            if segment.clip is None:
                prompt.text(segment.ids)
            else:
                prompt.vision(segment.clip)
        return prompt.sample().positions

    def _feed(self, new: list[int], vision: Tensor | None) -> Tensor:
        """Computes the last rows of the memory; logits of the last one."""
        ids = torch.tensor([new])
        positions = torch.from_numpy(self._positions())[:, None]
        self.cos, self.sin = self.network.angles(positions)
        x = self.network.embed(ids, vision, self.grammar.video_pad)
        hidden = self.network.decode(x, positions[:, :, -ids.shape[1] :], self._attend)
        return self.network.logits(hidden[0, -1])

    def _attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        self.keys[layer] = torch.cat([self.keys[layer], k], 2)
        self.values[layer] = torch.cat([self.values[layer], v], 2)
        keys, values = self.keys[layer], self.values[layer]
        new, all_rows = q.shape[2], keys.shape[2]
        q = rotate(q, self.cos[:, :, -new:], self.sin[:, :, -new:])
        keys = rotate(keys, self.cos, self.sin)
        share = q.shape[1] // keys.shape[1]
        keys, values = (x.repeat_interleave(share, 1) for x in (keys, values))
        mask = torch.ones(new, all_rows, dtype=torch.bool).tril(all_rows - new)
        return F.scaled_dot_product_attention(q, keys, values, attn_mask=mask)
