# SPDX-License-Identifier: Apache-2.0
"""The loop over stages and steps: learning rate, update, log, state."""

import ctypes
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from .cells import DenseHeads
from .errors import TrainingError
from .loading import AheadLoader, Loader
from .losses import Scores
from .processes import Company, StopSignal
from .recipe import Recipe, Stage
from .stages import Part, SceneBatches, VideoParts, match_embeddings, part_loss
from .start import Start, start
from .state import Point, RunFolder
from .videos import VideoBatches, VideoFolder, VideoSamples

BETAS = (0.9, 0.97)
CLIP = 1.0
LAST_RATE = 0.03  # of the peak, at the end of the cosine


@dataclass(frozen=True)
class Settings:
    """Of one run; none of them changes a number but `device`.

    Attributes:
        loaders: processes that paint scenes ahead; 0: this one paints them
        stop_after: steps in all after which to stop as if asked to; 0: none
    """

    recipe: Recipe
    folder: Path
    device: str = "cpu"
    threads: int = 1
    loaders: int = 0
    stop_after: int = 0
    quiet: bool = False


def rate(stage: Stage, step: int) -> float:
    """Linear warm-up, then a cosine over the whole stage."""
    share = step / stage.steps
    cosine = 0.5 * (1 + math.cos(math.pi * share))
    warm = min(1.0, (step + 1) / stage.warmup) if stage.warmup else 1.0
    return stage.learning_rate * warm * (LAST_RATE + (1 - LAST_RATE) * cosine)


def train(settings: Settings, company: Company) -> bool:
    """Trains to the end of the recipe.

    Returns:
        whether the end was reached; otherwise the run was asked to stop and has been saved
    """
    torch.set_num_threads(settings.threads)
    recipe = settings.recipe
    folder = RunFolder(settings.folder)
    point = folder.require(recipe.digest, company.size)
    if company.rank == 0:
        folder.cut_log(point)
    begin = start(recipe, settings.device)
    videos = _videos(begin, recipe, company)
    loaded = folder.load(point, company.rank) if point else None
    if loaded:
        begin.network.hf.load_state_dict(loaded["model"])
    with StopSignal() as signal:
        first = point.stage if point else 0
        for index in range(first, len(recipe.stages)):
            loop = StageLoop(settings, company, folder, begin, videos, index)
            try:
                if not loop.run(loaded, point.step if loaded and point else 0, signal):
                    return False
            finally:
                loop.loader.close()
            loaded = None
    return True


def _videos(begin: Start, recipe: Recipe, company: Company) -> VideoBatches | None:
    """The users' videos, where the recipe has some; says what of them is left out."""
    if recipe.videos is None:
        return None
    videos = recipe.videos
    folder = VideoFolder(Path(videos.folder), videos.clip_seconds, videos.overlap_seconds)
    if company.rank == 0:
        print(
            f"{len(folder.places)} chunks in {folder.folder}; left out:"
            f" {dict(folder.left_out) or 'no sample'}, {dict(folder.words) or 'no word'}",
            flush=True,
        )
    samples = VideoSamples(begin.grammar, recipe.streaming, begin.network.tokens_per_second)
    return VideoBatches(samples, folder, recipe.seed, company.rank, company.size)


class StageLoop:
    """One stage of a run."""

    def __init__(
        self,
        settings: Settings,
        company: Company,
        folder: RunFolder,
        begin: Start,
        videos: VideoBatches | None,
        index: int,
    ):
        self.settings, self.company, self.folder, self.index = settings, company, folder, index
        self.recipe = settings.recipe
        self.stage = self.recipe.stages[index]
        self.network, self.samples = begin.network, begin.samples
        self.videos = videos
        self.batches = (
            VideoParts(videos, self.stage) if videos else SceneBatches(begin.samples, self.stage)
        )
        place = (index, company.rank)
        if settings.loaders and isinstance(self.batches, SceneBatches):
            self.loader = AheadLoader(self.batches, self.recipe, place, settings.loaders)
        else:
            self.loader = Loader(self.batches, self.recipe, place)
        self.pads = (begin.grammar.end_of_text, begin.grammar.video_pad)
        self.heads = DenseHeads(self.network.text_config.hidden_size).to(self.network.device)
        self.parameters = [p for p in self.network.hf.parameters() if p.requires_grad]
        if self.stage.kind == "vision":
            self.parameters += list(self.heads.parameters())
        self.optimizer = torch.optim.AdamW(
            [
                {
                    "params": [p for p in self.parameters if p.dim() > 1],
                    "weight_decay": self.stage.weight_decay,
                },
                {"params": [p for p in self.parameters if p.dim() <= 1], "weight_decay": 0.0},
            ],
            lr=self.stage.learning_rate,
            betas=BETAS,
            eps=1e-8,
        )
        self.scores = Scores()
        self.seconds = 0
        self.clock = Clock()

    def run(self, loaded: dict | None, first: int, signal: StopSignal) -> bool:
        if loaded and first:
            self.optimizer.load_state_dict(loaded["optimizer"])
            self.heads.load_state_dict(loaded["heads"])
        elif self.stage.kind == "align":
            match_embeddings(self.network, self.samples, self.stage)
        recipe, limit = self.recipe, self.settings.stop_after
        for step in range(first, self.stage.steps):
            self._step(step)
            done = step + 1
            last = done == self.stage.steps
            stop = False
            if done % recipe.average_every == 0 or last:
                self.company.average(self.parameters)
                enough = bool(limit) and self._steps_before() + done >= limit
                stop = self.company.any(signal.asked or enough)
            if done % recipe.log_every == 0 or last or stop:
                self._log(done)
            if done % recipe.save_every == 0 or last or stop:
                self._save(done)
            if stop and not (last and self.index + 1 == len(recipe.stages)):
                return False
        return True

    def _steps_before(self) -> int:
        return sum(stage.steps for stage in self.recipe.stages[: self.index])

    def _step(self, step: int) -> None:
        stage = self.stage
        for group in self.optimizer.param_groups:
            group["lr"] = rate(stage, step)
        frozen = not self.recipe.train_tower or step / stage.steps < stage.frozen_tower
        self.optimizer.zero_grad(set_to_none=True)
        for micro in range(stage.accumulate):
            self.clock.start("data")
            parts = self.loader.parts(step * stage.accumulate + micro)
            self.clock.start("forward")
            loss = self._loss(parts, frozen)
            self.clock.start("backward")
            (loss / stage.accumulate).backward()
            self.scores.add("loss", loss.item())
        self.clock.start("update")
        norm = nn.utils.clip_grad_norm_(self.parameters, CLIP)
        if not torch.isfinite(norm):
            raise TrainingError(
                f"the gradient of step {step} in stage {stage.kind} is {norm.item()}; expected"
                " finite numbers; lower learning_rate or lengthen warmup"
            )
        self.optimizer.step()
        self.scores.add("norm", norm.item())
        self.clock.stop()

    def _loss(self, parts: list[Part], frozen: bool) -> torch.Tensor:
        total = torch.zeros((), device=self.network.device)
        autocast = torch.autocast(
            self.network.device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16"
        )
        for part in parts:
            with autocast:
                loss, scores = part_loss(
                    self.network, self.heads, part, self.batches.decisions, self.pads, frozen
                )
            total = total + part.share * loss
            self.seconds += part.seconds
            for name, (value, count) in scores.sums.items():
                self.scores.add(f"{part.name}/{name}", value, count)
            self.scores.add(f"loss/{part.name}", loss.item())
        return total

    def _log(self, done: int) -> None:
        """One line of the averages since the last one; those of this process."""
        if self.company.rank == 0 and self.scores.sums:
            record = dict(
                stage=self.index,
                kind=self.stage.kind,
                step=done,
                steps=self.stage.steps,
                rate=rate(self.stage, done - 1),
                seconds=self.seconds,
                cpu={name: round(value, 3) for name, value in self.clock.spent.items()},
                **({"left_out": dict(self.videos.left_out)} if self.videos else {}),
                **{name: round(value, 5) for name, value in self.scores.means().items()},
            )
            with self.folder.log.open("a") as file:
                file.write(json.dumps(record) + "\n")
            if not self.settings.quiet:
                print(told(record), flush=True)
        give_back_memory()
        self.scores, self.seconds, self.clock = Scores(), 0, Clock()

    def _save(self, done: int) -> None:
        point = Point(self.index, done, self.company.size, self.recipe.digest)
        state = dict(
            model=self.network.hf.state_dict(),
            heads=self.heads.state_dict(),
            optimizer=self.optimizer.state_dict(),
        )
        self.folder.save(point, self.company.rank, state, self.company.together)


class Clock:
    """CPU seconds of this process by what it was doing; wall clock says little on shared cores."""

    def __init__(self):
        self.spent: dict[str, float] = {}
        self._what, self._since = "", 0.0

    def start(self, what: str) -> None:
        self.stop()
        self._what, self._since = what, time.process_time()

    def stop(self) -> None:
        if self._what:
            spent = time.process_time() - self._since
            self.spent[self._what] = self.spent.get(self._what, 0.0) + spent
        self._what = ""


def give_back_memory() -> None:
    """Returns what the C heap has freed to the system, where the C library offers it.

    Batches of ever new shapes break the heap to pieces: without this a process of the recipe
    `release` held 3.9 GB after 1,000 steps of `count`; after 80 steps it is 1.6 GB against 0.5.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def told(record: dict) -> str:
    """A log line for people."""
    shown = [f"{record['kind']} {record['step']}/{record['steps']}", f"loss {record['loss']:.3f}"]
    for name, value in record.items():
        group, _, what = name.partition("/")
        if what.startswith("turns/") or (group == "cells" and "no " not in what):
            shown.append(f"{what.rpartition('/')[2]} {100 * value:.0f} %")
    cpu = sum(record["cpu"].values())
    if record["seconds"] and cpu:
        shown.append(f"{record['seconds'] / cpu:.0f} s of video per CPU second")
    return "  ".join(shown)
