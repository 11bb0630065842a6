# SPDX-License-Identifier: Apache-2.0
"""Makes batches: here, or ahead in other processes while this one trains."""

import multiprocessing
import signal
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Protocol

import numpy as np
from tokenizers import Tokenizer

from .grammar import Grammar
from .recipe import Recipe
from .scenes import SceneSamples
from .stages import Part, SceneBatches

AHEAD = 2  # batches in the making for each loader


class Batches(Protocol):
    def parts(self, number: int, rng: np.random.Generator) -> list[Part]: ...


class Loader:
    """Batches one after the other; each is a function of its place in the run alone.

    Args:
        place: stage and process
    """

    def __init__(self, batches: Batches, recipe: Recipe, place: tuple[int, int]):
        self.batches, self.seed, self.place = batches, recipe.seed, place

    def parts(self, number: int) -> list[Part]:
        return self.batches.parts(number, generator(self.seed, self.place, number))

    def close(self) -> None:
        """Ends the processes that this one has."""


class AheadLoader(Loader):
    """Scenes are painted by so many other processes: a GPU would wait for one."""

    def __init__(self, batches: SceneBatches, recipe: Recipe, place: tuple[int, int], count: int):
        super().__init__(batches, recipe, place)
        samples = batches.samples
        self.depth = AHEAD * count
        self.coming: deque[tuple[int, Future]] = deque()
        self.pool = ProcessPoolExecutor(
            count,
            multiprocessing.get_context("spawn"),
            _open,
            (
                samples.grammar.tokenizer.to_str(),
                recipe,
                samples.tokens_per_second,
                place,
            ),
        )

    def parts(self, number: int) -> list[Part]:
        if not self.coming or self.coming[0][0] != number:
            self.coming.clear()
        ahead = number + len(self.coming)
        while len(self.coming) < self.depth:
            self.coming.append((ahead, self.pool.submit(_make, ahead)))
            ahead += 1
        return self.coming.popleft()[1].result()

    def close(self) -> None:
        self.pool.shutdown(cancel_futures=True)


def generator(seed: int, place: tuple[int, int], number: int) -> np.random.Generator:
    return np.random.default_rng([seed, *place, number])


_loader: Loader


def _open(tokenizer: str, recipe: Recipe, tokens_per_second: float, place: tuple[int, int]):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that trains
    global _loader  # noqa: PLW0603 - what a process of a pool knows from the start
    grammar = Grammar(Tokenizer.from_str(tokenizer))
    samples = SceneSamples(grammar, recipe.streaming, tokens_per_second)
    _loader = Loader(SceneBatches(samples, recipe.stages[place[0]]), recipe, place)


def _make(number: int) -> list[Part]:
    return _loader.parts(number)
