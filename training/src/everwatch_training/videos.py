# SPDX-License-Identifier: Apache-2.0
"""Users' own videos with timed text, in the published JSON-lines form of StreamingVLM.

Each line is one `[user, assistant]` pair. The user's content has an entry `video` with
`video_start` and `video_end` (seconds) and one with `text` (the query) and `previous` (what was
said before); the assistant's has a `text_stream` of `[word start, word end, word]` in the video's
time and, if wanted, a `qa_stream` whose items hold a time, a question and an answer at 1, 2 and 3.

Published data has broken samples. Each is left out with a counted, named reason; no run dies of
one.
"""

import json
import math
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import frames
from .decisions import SILENCE as SILENT_WORD
from .decisions import START, WORDS, Decisions
from .errors import TrainingError
from .frames import Clip, PixelLimits
from .grammar import Grammar, cut
from .prompt import ANSWER, EVENT, SILENCE, Prompt, Sample
from .recipe import Streaming

LONGEST_CLIP = 86_400.0  # seconds


class Unusable(Exception):
    """A sample that is left out; the text is the reason's name."""


@dataclass(frozen=True)
class Annotation:
    """One line: times in seconds of the video, words in the order of their ends."""

    video: Path
    start: float
    end: float
    query: str
    previous: str
    words: list[tuple[float, str]]
    questions: list[tuple[float, str, str]]


@dataclass(frozen=True)
class Place:
    """A chunk of a line: whole seconds from the start of the line's clip."""

    file: Path
    offset: int
    first: int
    seconds: int


def parse(line: str, folder: Path, dropped: Counter) -> Annotation:
    """One line of a file.

    Args:
        dropped: counts words that are left out, by reason
    """
    try:
        user, assistant = json.loads(line)
        video = _entry(user, "video")
        text = _entry(user, "text") or {}
        start, end = float(video["video_start"]), float(video["video_end"])
        stream = _entry(assistant, "text_stream") or {}
        words = [
            (float(a), float(b), w if isinstance(w, str) else "")
            for a, b, w in stream.get("text_stream") or []
        ]
        asked = stream.get("qa_stream") or (_entry(assistant, "qa_stream") or {}).get("qa_stream")
        questions = [(float(q[1]), str(q[2]), str(q[3])) for q in asked or []]
        path = folder / str(video["video"])
        query, previous = str(text.get("text") or ""), str(text.get("previous") or "")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as e:
        raise Unusable("broken-line") from e
    if not 0 <= start < start + 1 <= end <= start + LONGEST_CLIP < math.inf:  # NaN neither
        raise Unusable("impossible-clip")
    kept = []
    for a, b, word in words:
        reason = _word_problem(a, b, word, start, end)
        if reason:
            dropped[reason] += 1
        else:
            kept.append((b, word.strip()))
    questions = [q for q in questions if start <= q[0] < end and not unknown(q[1] + q[2])]
    if not kept and not questions:
        raise Unusable("no-text")
    if unknown(query) or unknown(previous):
        raise Unusable("unknown-characters")
    kept.sort(key=lambda item: item[0])
    return Annotation(path, start, end, query, previous, kept, questions)


def _entry(turn: dict, kind: str) -> dict | None:
    found = [entry for entry in turn["content"] if entry.get("type") == kind]
    return found[0] if found else None


def _word_problem(start: float, end: float, word: str, clip_start: float, clip_end: float) -> str:
    if not word.strip():
        return "empty-word"
    if unknown(word):
        return "word-of-unknown-characters"
    if not start <= end:  # NaN too
        return "word-starts-after-its-end"
    return "" if clip_start <= end <= clip_end else "word-outside-the-clip"


def unknown(text: str) -> bool:
    """Replacement characters, halves of surrogate pairs and control characters: what remains of
    text that was decoded wrongly."""
    return any(
        c == "\N{REPLACEMENT CHARACTER}" or (unicodedata.category(c) in ("Cc", "Cs") and c != "\n")
        for c in text
    )


class VideoFolder:
    """All `*.jsonl` files of a folder, cut into chunks of W seconds that overlap by O.

    Attributes:
        places: of all chunks
        left_out: lines and chunks that are left out, by reason
        words: words that are left out, by reason
    """

    def __init__(self, folder: Path, clip_seconds: int, overlap_seconds: int):
        self.folder = folder
        self.places: list[Place] = []
        self.left_out: Counter = Counter()
        self.words: Counter = Counter()
        if not folder.is_dir():
            raise TrainingError(
                f"there is no folder {folder}; expected videos and *.jsonl files with their text;"
                " correct --data"
            )
        for file in sorted(folder.rglob("*.jsonl")):
            if file.stem.endswith("_seeks"):
                continue  # byte offsets, which the scan finds anyway
            for offset, line in _lines(file):
                try:
                    annotation = parse(line, folder, self.words)
                    self._check_video(annotation.video)
                except Unusable as e:
                    self.left_out[str(e)] += 1
                    continue
                self._cut(file, offset, annotation, clip_seconds, overlap_seconds)
        if not self.places:
            raise TrainingError(
                f"{folder} has no usable sample (left out: {dict(self.left_out) or 'nothing'});"
                " expected *.jsonl lines of [user, assistant] whose videos lie beside them"
            )

    @staticmethod
    def _check_video(video: Path) -> None:
        try:
            size = video.stat().st_size
        except (OSError, ValueError) as e:
            raise Unusable("no-video") from e
        if size == 0:
            raise Unusable("empty-video")

    def _cut(self, file: Path, offset: int, annotation: Annotation, clip: int, overlap: int):
        seconds = int(annotation.end - annotation.start)
        last = max([end for end, _ in annotation.words] + [t for t, _, _ in annotation.questions])
        for first in range(0, max(1, seconds - overlap), clip - overlap):
            if annotation.start + first > last:
                self.left_out["clip-longer-than-its-annotation"] += 1
            else:
                self.places.append(Place(file, offset, first, min(clip, seconds - first)))

    def annotation(self, place: Place) -> Annotation:
        with place.file.open("rb") as file:
            file.seek(place.offset)
            return parse(file.readline().decode(errors="replace"), self.folder, Counter())


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    with file.open("rb") as lines:
        offset = 0
        for line in lines:
            if line.strip():
                yield offset, line.decode(errors="replace")
            offset += len(line)


def pictures(video: Path, start: float, seconds: int, fps: int) -> list[np.ndarray]:
    """For each second its frames, uint8 [fps, H, W, 3].

    The frame of a grid point g is the first one with `g - D/2 <= t < g + 1/fps - D/2`, D being its
    distance to the frame before it, at most 1/fps: the rule by which Everwatch samples. A point
    without a frame repeats the one before it, the first of a second the next one.
    """
    try:
        import av
    except ImportError as e:
        raise TrainingError(
            "videos cannot be decoded without PyAV; expected the package `av`;"
            " install everwatch-training[videos]"
        ) from e
    points: list[np.ndarray | None] = [None] * (seconds * fps)
    try:
        with av.open(str(video)) as container:
            origin = container.start_time or 0  # some recorders do not begin at 0
            container.seek(max(origin, int((start - 2) * av.time_base) + origin), backward=True)
            before = None
            for frame in container.decode(container.streams.video[0]):
                if frame.time is None:
                    continue
                time = frame.time - origin / av.time_base
                distance = min(1 / fps, time - before) if before is not None else 1 / fps
                before = time
                point = math.floor((time + distance / 2 - start) * fps + 1e-6)
                if point >= len(points):
                    break
                if point >= 0 and points[point] is None:
                    points[point] = frame.to_ndarray(format="rgb24")
    except Exception as e:  # whatever a decoder makes of a broken file
        raise Unusable("unreadable-video") from e
    found = []
    for second in range(seconds):
        some = points[second * fps : (second + 1) * fps]
        shown = next((picture for picture in some if picture is not None), None)
        if shown is None:
            raise Unusable("video-shorter-than-its-clip")
        chosen = []
        for picture in some:
            shown = picture if picture is not None and picture.shape == shown.shape else shown
            chosen.append(shown)
        found.append(np.stack(chosen))
    return found


class VideoSamples:
    """Chunks of users' videos as samples."""

    def __init__(self, grammar: Grammar, streaming: Streaming, tokens_per_second: float):
        self.grammar, self.streaming = grammar, streaming
        self.limits = PixelLimits(self.streaming.least_pixels, self.streaming.most_pixels)
        self.tokens_per_second = tokens_per_second
        self.decisions = Decisions([])

    def sample(self, annotation: Annotation, place: Place) -> Sample:
        begin = annotation.start + place.first
        seconds = pictures(annotation.video, begin, place.seconds, self.streaming.fps)
        clips = []
        for shown in seconds:
            try:
                clips.append(frames.clip(shown, self.limits, self.tokens_per_second))
            except ValueError as e:
                raise Unusable("frame-of-extreme-aspect") from e
        return self.prompt(annotation, place, clips)

    def prompt(self, annotation: Annotation, place: Place, clips: list[Clip]) -> Sample:
        """What was said before the chunk is its text memory; each second is one round."""
        begin = annotation.start + place.first
        before = [word for end, word in annotation.words if end <= begin]
        text = annotation.query + spoken(annotation.previous.split()) + spoken(before)
        memory = cut(
            list(self.grammar.text(text)), self.streaming.text_sink, self.streaming.text_window
        )
        prompt = Prompt(self.grammar)
        prompt.head(memory)
        for index, clip in enumerate(clips):
            first, last = begin + index, begin + index + 1
            asked = [q for q in annotation.questions if first <= q[0] < last]
            words = spoken([word for end, word in annotation.words if first < end <= last])
            answers = spoken([answer.strip() for _, _, answer in asked])
            prompt.ask(int(begin) + index, clip, " ".join(question for _, question, _ in asked))
            self._say(prompt, answers + words, ANSWER if asked else EVENT if words else SILENCE)
        return prompt.sample()

    def _say(self, prompt: Prompt, text: str, kind: int) -> None:
        turn = self.grammar.turn(text)
        names = [0] * len(turn)
        names[0] = self.decisions.code(START, WORDS if text else SILENT_WORD)
        prompt.answer(turn, [1.0] * len(turn), names, kind)


def spoken(words: list[str]) -> str:
    """Words as they stand in a turn: each behind a space."""
    return "".join(f" {word}" for word in words)


class VideoBatches:
    """Batches from a folder; which chunks a step takes depends on its number alone.

    Args:
        rank, size: of this process among those that train together
    """

    def __init__(self, samples: VideoSamples, folder: VideoFolder, seed: int, rank: int, size: int):
        self.samples, self.folder, self.seed = samples, folder, seed
        self.rank, self.size = rank, size
        self.decisions = samples.decisions
        self.left_out: Counter = Counter()

    def batch(self, step: int, count: int) -> list[Sample]:
        first = (step * self.size + self.rank) * count
        return [self._number(number) for number in range(first, first + count)]

    def _number(self, number: int) -> Sample:
        """A chunk of the pass over the folder; one that cannot be used is replaced by the next."""
        places = self.folder.places
        order = np.random.default_rng([self.seed, number // len(places)]).permutation(len(places))
        for tried in range(len(places)):
            place = places[order[(number + tried) % len(places)]]
            try:
                return self.samples.sample(self.folder.annotation(place), place)
            except Unusable as e:
                self.left_out[str(e)] += 1
        raise TrainingError(
            f"none of the {len(places)} chunks of {self.folder.folder} can be used"
            f" ({dict(self.left_out)}); expected videos that can be decoded; correct them"
        )
