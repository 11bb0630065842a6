# SPDX-License-Identifier: Apache-2.0
"""Samples from synthetic cameras: streaming chunks, captions, the counting drill, dense labels."""

from dataclasses import dataclass

import numpy as np

from . import frames
from .decisions import SILENCE as SILENT_WORD
from .decisions import START, Decisions, transitions
from .frames import Clip, PixelLimits
from .grammar import Grammar, cut
from .prompt import ANSWER, CAPTION, EVENT, SILENCE, Prompt, Sample
from .recipe import Lesson, Stage, Streaming
from .world import JPEG_QUALITY, Camera, Start, View, all_words, jpeg

JPEG_QUALITIES = (JPEG_QUALITY, JPEG_QUALITY, 85, 75)
HEAD_TOKENS = 40  # before the text memory, and the instruction
TURN_TOKENS = 36  # around the vision tokens of a second, with what is said
LATE_SECONDS = (30, 150)
DRILL_REST = 0.02
START_SHARE, EARLY_SHARE = 0.2, 0.3


@dataclass
class Told:
    """What has been said before a chunk: token ranges of seconds within the text memory."""

    content: list[int]
    spans: dict[int, tuple[int, int]]

    def add(self, second: int, ids) -> None:
        self.spans[second] = (len(self.content), len(self.content) + len(ids))
        self.content.extend(ids)

    def kept(self, sink: int, window: int) -> tuple[list[int], set[int], bool]:
        """The cut memory, the seconds whose words are whole in it, and whether all is."""
        n = len(self.content)
        if n <= sink + window:
            return list(self.content), set(self.spans), True
        whole = {s for s, (a, b) in self.spans.items() if b <= sink or a >= n - window}
        return cut(self.content, sink, window), whole, False


class SceneSamples:
    """Everything that can be learned from the scenes; a pure function of the generator."""

    def __init__(self, grammar: Grammar, streaming: Streaming, tokens_per_second: float):
        self.grammar = grammar
        self.streaming = streaming
        self.limits = PixelLimits(streaming.least_pixels, streaming.most_pixels)
        self.tokens_per_second = tokens_per_second
        self.decisions = Decisions(all_words())

    # ---- cameras

    def view(self, rng: np.random.Generator, stage: Stage) -> View:
        return View() if rng.random() < stage.plain else View.draw(rng)

    def clip(self, rng: np.random.Generator, pictures: np.ndarray) -> Clip:
        """What a camera's pictures are to the model; half of them come as JPEG."""
        if rng.random() < 0.5:
            pictures = jpeg(pictures, int(rng.choice(JPEG_QUALITIES)))
        return frames.clip(pictures, self.limits, self.tokens_per_second)

    def _scene(self, rng: np.random.Generator, stage: Stage) -> str:
        return stage.scenes[int(rng.integers(len(stage.scenes)))]

    # ---- streaming chunks

    def chunk(self, rng: np.random.Generator, stage: Stage, lesson: Lesson) -> Sample:
        """Some seconds of a stream, with the text memory that the stream has then."""
        view = self.view(rng, stage)
        age = rng.random()
        early = 0 if age < START_SHARE else int(rng.integers(1, 26))
        late = 0 if age < START_SHARE + EARLY_SHARE else int(rng.integers(*LATE_SECONDS))
        camera = Camera(
            self._scene(rng, stage),
            camera_seed(rng),
            view,
            density=float(rng.uniform(0.4, 2.0)),
            start=Start(early if late else None),
            bias=float(rng.uniform(0, 0.5)),
        )
        told = Told(list(self.grammar.text(camera.instruction)), {})
        for second in range(early + late):
            told.add(second, self.grammar.text(camera.step().sentence))
        content, seconds_told, whole = told.kept(self.streaming.text_sink, lesson.text_window)
        marker = early + late if age < START_SHARE + EARLY_SHARE else int(10 ** rng.uniform(1.5, 4))
        prompt = Prompt(self.grammar)
        prompt.head(content)
        seconds = self._seconds(view, stage, lesson)
        asked = self._ask_at(rng, stage, seconds)
        for index in range(seconds):
            second = camera.step()
            clip = self.clip(rng, camera.render(second))
            question = None
            if index in asked and (not second.sentence or index == seconds - 1):
                question = self._question(rng, second, seconds_told, whole)
            if question is not None:
                prompt.ask(marker + index, clip, question.text)
                self._say(prompt, question.answer, ANSWER, {}, stage.memory_weight)
            else:
                prompt.ask(marker + index, clip)
                known = {due.end: is_known(due, seconds_told, whole) for due in second.due}
                kind = EVENT if second.sentence else SILENCE
                self._say(prompt, second.sentence, kind, known, stage.memory_weight)
                seconds_told.add(second.index)
        return prompt.sample()

    def _seconds(self, view: View, stage: Stage, lesson: Lesson) -> int:
        h, w = frames.target_size(view.height, view.width, self.limits)
        pairs = -(-view.fps // frames.PAIR)
        each = pairs * h * w // (frames.PATCH * frames.MERGE) ** 2 + TURN_TOKENS
        return max(
            4, min(lesson.seconds, (stage.tokens - lesson.text_window - HEAD_TOKENS) // each)
        )

    @staticmethod
    def _ask_at(rng: np.random.Generator, stage: Stage, seconds: int) -> set[int]:
        if rng.random() >= stage.questions:
            return set()
        return {seconds - 1, *(int(rng.integers(seconds)) for _ in range(2))}

    @staticmethod
    def _question(rng: np.random.Generator, second, seconds_told: set[int], whole: bool):
        """One that can be answered; of a silent second, or from sight: a sentence that the answer
        takes the place of would be missing from the memory."""
        fit = [
            q
            for q in second.questions
            if q.source == "sight" or (not second.sentence and is_known(q, seconds_told, whole))
        ]
        return fit[int(rng.integers(len(fit)))] if fit else None

    def _say(self, prompt: Prompt, text: str, kind: int, known: dict[int, bool], memory: float):
        """One supervised turn."""
        ids = self.grammar.turn(text)
        weights, names = self._weighed(text, known, memory)
        names += [0 if text else self.decisions.code(START, SILENT_WORD), 0]
        prompt.answer(ids, [*weights, 1.0, 1.0], names, kind)

    def _weighed(
        self, text: str, known: dict[int, bool], memory: float, rest: float = 1.0
    ) -> tuple[list[float], list[int]]:
        """Weights and decisions of the tokens of a sentence.

        Args:
            known: by the end of a word that only memory tells, whether the sample tells it; one
                that it does not tell carries no loss
            memory: weight of those words, and of the decisions at which they begin
            rest: weight of all other tokens
        """
        words = self.decisions.of(text)
        weights, names, place = [], [], 0
        for token in self.grammar.text(text):
            place += len(self.grammar.decode([token]))
            name, gate = words.get(place, (0, False))
            names.append(name if known.get(place, True) else 0)
            if place in known:
                weights.append(memory if known[place] else 0.0)
            else:
                weights.append(memory if gate else rest)
        return weights, names

    # ---- captions

    def caption(self, rng: np.random.Generator, stage: Stage) -> Sample:
        """Two seconds, some time apart, each described as it looks."""
        view = self.view(rng, stage)
        scene = self._scene(rng, stage)
        camera = Camera(scene, camera_seed(rng), view, density=2.0)
        for _ in range(int(rng.integers(1, 14))):
            camera.step()
        prompt = Prompt(self.grammar)
        prompt.head(self.grammar.text(f" Watch the {scene}."))
        marker = int(10 ** rng.uniform(0, 4))
        for index in range(2):
            for _ in range(int(rng.integers(1, 4))):
                second = camera.step()
            clip = self.clip(rng, camera.render(second))
            prompt.ask(marker + index, clip)
            self._say(prompt, second.caption, CAPTION, {}, 1.0)
        return prompt.sample()

    # ---- the drill

    def drill(self, rng: np.random.Generator, stage: Stage, previous: int, turns: int) -> Sample:
        """What only memory tells, without video: some sentences, then some turns.

        Nearly all of its loss is on the decisions that streams teach slowly: there most entries are
        not counted, and most of the loss is on what no text can tell. Positions jump between
        sentences, as if clips stood there, so that what is learned does not hang on the distance.
        """
        camera = Camera(
            self._scene(rng, stage),
            camera_seed(rng),
            density=2.0,
            start=Start(int(rng.integers(1, 8)) if rng.random() < 0.6 else None),
            bias=float(rng.uniform(0.3, 0.8)),
        )
        wide = 1 if rng.random() < 0.7 else 0
        others = float(rng.uniform(0.2, 0.6))
        told: set[int] = set()
        prompt = Prompt(self.grammar)
        prompt.text(self.grammar.system)
        prompt.text(self.grammar.memory_open)
        prompt.text(self.grammar.text(camera.instruction))
        for _ in range(previous):
            second = self._next_sentence(rng, camera, others)
            prompt.jump(wide * int(rng.integers(12)))
            prompt.text(*self._drilled(second, told))
        prompt.text(self.grammar.memory_close)
        for _ in range(turns):
            second = self._next_sentence(rng, camera, others)
            prompt.jump(wide * int(rng.integers(50)))
            prompt.text(self.grammar.assistant_open)
            prompt.text(*self._drilled(second, told))
            prompt.text(self.grammar.turn(""))
            prompt.text(self.grammar.assistant_close)
        fit = [q for q in second.questions if q.source == "text" and is_known(q, told, whole=True)]
        if fit and rng.random() < stage.questions:
            question = fit[int(rng.integers(len(fit)))]
            prompt.jump(wide * int(rng.integers(50)))
            prompt.ask(int(10 ** rng.uniform(0, 4)), None, question.text)
            self._say(prompt, question.answer, ANSWER, {}, 1.0)
        return prompt.sample()

    def _next_sentence(self, rng: np.random.Generator, camera: Camera, others: float):
        """The next second with something to remember, or now and then with something else."""
        while True:
            second = camera.step()
            gate = not self.decisions.gates.isdisjoint(transitions(second.sentence))
            if second.sentence and (second.due or rng.random() < (1.0 if gate else others)):
                return second

    def _drilled(self, second, told: set[int]) -> tuple:
        """Ids, weights and decisions of a sentence, nearly all weight on what memory tells."""
        known = {due.end: is_known(due, told, whole=True) for due in second.due}
        told.add(second.index)
        ids = self.grammar.text(second.sentence)
        return ids, *self._weighed(second.sentence, known, memory=1.0, rest=DRILL_REST)


def is_known(fact, told: set[int], whole: bool) -> bool:
    """Whether a sample tells what a word or an answer follows from.

    Args:
        fact: has `known` and `told` (see `world.words.Fact`)
        told: seconds whose sentences are in the sample
        whole: whether all sentences since the start of the stream are
    """
    return fact.known and (whole if fact.told is None else fact.told in told)


def camera_seed(rng: np.random.Generator) -> int:
    """Of a camera to learn from; those below 2^40 are kept for judging."""
    return int(rng.integers(1 << 40, 1 << 62))
