# SPDX-License-Identifier: Apache-2.0
"""StreamingVLM's memory of one stream, on integers only: which rows are kept and at which positions they stand.

The same method as the project's engine: the instruction opens the turn `previous text`, of which the first `sink` and the
last `window` tokens are kept; rounds older than `rounds` lose their frames, and their words move to the end of that turn.
"""
import json
import os

import numpy as np
from tokenizers import Tokenizer

VISION_SIDE = 4  # merged cells of one 112x112 frame pair: 4 x 4


class Prompts:
    """Token ids of the parts of the conversation."""

    def __init__(self, folder):
        self.tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        token = self.tokenizer.token_to_id
        start, self.end, self.pad = token("<|im_start|>"), token("<|im_end|>"), token("<|video_pad|>")
        newline = self.encode("\n")
        self.close = [self.end] + newline
        self.head = ([start] + self.encode("system\nYou are a helpful assistant.") + self.close
                     + [start] + self.encode("previous text\n"))
        self.user = [start] + self.encode("user\n")
        self.assistant = [start] + self.encode("assistant\n")
        self.vision = [token("<|vision_start|>")] + [self.pad] * VISION_SIDE ** 2 + [token("<|vision_end|>")]
        self.pause = self.encode(" ...")[0]

    def encode(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids):
        return self.tokenizer.decode([i for i in ids if i != self.pause], skip_special_tokens=True)

    def turn(self, second):
        return self.user + self.encode(f"Time={second}.0-{second + 1}.0s") + self.vision + self.close


class Memory:
    """Ids of the retained rows with what each belongs to."""

    HEAD, PREVIOUS, CLOSE, TURN, ANSWER, WORD = range(6)

    def __init__(self, prompts, rounds=16, sink=16, window=384):
        self.prompts, self.rounds, self.sink, self.window = prompts, rounds, sink, window
        self.ids, self.role, self.round_of = [], [], []
        self.round = 0

    def append(self, ids, role):
        self.ids += ids
        self.role += [role] * len(ids)
        self.round_of += [self.round] * len(ids)

    def compact(self):
        """Drops what is too old and returns the indices of the rows kept, in their new order; None when nothing moved."""
        oldest = self.round - self.rounds
        where = {role: [] for role in range(6)}
        words, rest = [], []
        for i, (role, made) in enumerate(zip(self.role, self.round_of)):
            if role <= self.CLOSE:
                where[role].append(i)
            elif made > oldest:
                rest.append(i)
            elif role == self.WORD:
                words.append(i)
        previous = where[self.PREVIOUS] + words
        if len(previous) > self.sink + self.window:
            previous = previous[:self.sink] + previous[-self.window:]
        for i in words:
            self.role[i] = self.PREVIOUS
        keep = where[self.HEAD] + previous + where[self.CLOSE] + rest
        if keep == list(range(len(self.ids))):
            return None
        self.ids = [self.ids[i] for i in keep]
        self.role = [self.role[i] for i in keep]
        self.round_of = [self.round_of[i] for i in keep]
        return keep

    def positions(self, first=0):
        """M-RoPE positions [3, rows] from row `first` on: contiguous; a picture of 4 x 4 cells advances by 4."""
        ids = np.asarray(self.ids)
        video = ids == self.prompts.pad
        begins = video & ~np.concatenate([[False], video[:-1]])
        ends = video & ~np.concatenate([video[1:], [False]])
        advance = np.where(video, 0, 1) + ends * VISION_SIDE
        base = np.cumsum(advance) - advance
        index = np.arange(len(ids))
        cell = np.where(video, index - np.maximum.accumulate(np.where(begins, index, -1)), 0)
        return np.stack([base, base + cell // VISION_SIDE, base + cell % VISION_SIDE])[:, first:]


def load_settings(folder):
    with open(os.path.join(folder, "streaming.json")) as f:
        return json.load(f)
