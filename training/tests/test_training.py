# SPDX-License-Identifier: Apache-2.0
import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from conftest import tiny
from everwatch_training import processes
from everwatch_training.errors import TrainingError
from everwatch_training.loading import AheadLoader, Loader
from everwatch_training.processes import Company
from everwatch_training.stages import SceneBatches
from everwatch_training.start import start
from everwatch_training.state import RunFolder
from everwatch_training.training import Settings, StageLoop, rate, train

CHAIN = """
[[stages]]
kind = "vision"
steps = 4
batch = 3
learning_rate = 1e-3
[[stages]]
kind = "count"
steps = 2
batch = 2
learning_rate = 1e-3
questions = 1.0
[[stages]]
kind = "align"
steps = 2
batch = 1
learning_rate = 1e-3
[[stages]]
kind = "sft"
steps = 8
batch = 1
accumulate = 2
learning_rate = 1e-3
captions_every = 2
captions = 1
drill_every = 3
drill = 2
questions = 1.0
curriculum = [
  { start = 0.0, seconds = 4, text_window = 48 },
  { start = 0.5, seconds = 5, text_window = 96 },
]
"""


def weights(folder) -> dict:
    run = RunFolder(folder)
    return run.load(run.point(), 0)["model"]


def same(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def settings(folder, **changes) -> Settings:
    return Settings(tiny(CHAIN), folder, quiet=True, **changes)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    assert train(settings(folder), Company())
    return folder


@pytest.mark.parametrize("stop", [2, 4, 10, 14])
def test_a_run_that_was_stopped_goes_on_exactly(uninterrupted, tmp_path, stop):
    assert not train(settings(tmp_path, stop_after=stop), Company())
    assert not same(weights(tmp_path), weights(uninterrupted))
    assert train(settings(tmp_path), Company())
    assert same(weights(tmp_path), weights(uninterrupted))
    # Only how much time was spent may differ.
    logs = [
        [{**json.loads(line), "cpu": 0} for line in (f / "log.jsonl").read_text().splitlines()]
        for f in (tmp_path, uninterrupted)
    ]
    assert logs[0] == logs[1]


def test_a_run_that_was_killed_goes_on_from_its_newest_whole_state(uninterrupted, tmp_path):
    train(settings(tmp_path, stop_after=12), Company())
    (tmp_path / "state-3-8.rank0.pt.part").write_bytes(b"half of a state")
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"stage": 3, "kind": "sft", "step": 6, "loss": 1.0}\n{"stage": 3, "ki')
    train(settings(tmp_path), Company())
    assert same(weights(tmp_path), weights(uninterrupted))
    steps = [json.loads(x)["step"] for x in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == [2, 4, 2, 2, 2, 4, 6, 8]
    assert not list(tmp_path.glob("*.part"))


def test_a_signal_ends_a_run_at_the_next_average_and_loses_nothing(
    uninterrupted, tmp_path, monkeypatch
):
    step = StageLoop._step

    def interrupted(loop, number):
        if (loop.index, number) == (3, 2):
            os.kill(os.getpid(), signal.SIGTERM)
        step(loop, number)

    with monkeypatch.context() as patched:
        patched.setattr(StageLoop, "_step", interrupted)
        assert not train(settings(tmp_path), Company())
    assert RunFolder(tmp_path).point().step == 4
    assert train(settings(tmp_path), Company())
    assert same(weights(tmp_path), weights(uninterrupted))


def test_a_state_that_was_cut_off_is_told(tmp_path):
    train(settings(tmp_path, stop_after=4), Company())
    path = tmp_path / RunFolder(tmp_path).point().file(0)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(TrainingError, match=r"rank0\.pt cannot be read: .*; restore the file or"):
        train(settings(tmp_path), Company())


@pytest.mark.parametrize("frozen", [0.0, 1.0])
def test_a_frozen_tower_does_not_change(tmp_path, frozen):
    stage = CHAIN[CHAIN.rindex("[[stages]]") :].replace("steps = 8", f"frozen_tower = {frozen}")
    recipe = tiny(stage.replace("batch = 1", "steps = 2\nbatch = 1"))
    train(Settings(recipe, tmp_path, quiet=True), Company())
    before, after = start(recipe, "cpu").network.hf.state_dict(), weights(tmp_path)
    changed = {name.split(".")[1] for name in before if not torch.equal(before[name], after[name])}
    assert changed == ({"language_model", "weight"} if frozen else {*changed, "visual"})
    assert "language_model" in changed


def test_another_seed_trains_another_model(uninterrupted, tmp_path):
    changed = Settings(replace(tiny(CHAIN), seed=4), tmp_path, quiet=True, stop_after=4)
    train(changed, Company())
    assert not same(weights(tmp_path), weights(uninterrupted))


def test_a_folder_of_another_recipe_is_refused(uninterrupted):
    other = Settings(replace(tiny(CHAIN), seed=4), uninterrupted, quiet=True)
    with pytest.raises(TrainingError, match=r"holds a run of recipe .* name another --out"):
        train(other, Company())


def test_batches_made_ahead_by_others_are_the_same(fresh):
    recipe = tiny(CHAIN)
    batches = SceneBatches(fresh.samples, recipe.stages[3])
    ahead = AheadLoader(batches, recipe, (3, 0), 1)
    here = Loader(batches, recipe, (3, 0))
    try:
        for number in (0, 1, 6):
            for a, b in zip(ahead.parts(number), here.parts(number), strict=True):
                assert (a.name, a.share) == (b.name, b.share)
                assert [x.ids.tolist() for x in a.samples] == [x.ids.tolist() for x in b.samples]
                assert all(
                    np.array_equal(c.rows, d.rows)
                    for x, y in zip(a.samples, b.samples, strict=True)
                    for c, d in zip(x.clips, y.clips, strict=True)
                )
    finally:
        ahead.close()


def test_two_processes_end_with_the_same_weights(tmp_path):
    processes.run(2, Pair(settings(tmp_path, stop_after=4)))
    run = RunFolder(tmp_path)
    point = run.point()
    assert (point.step, point.processes) == (4, 2)
    states = [run.load(point, rank) for rank in (0, 1)]
    assert same(states[0]["model"], states[1]["model"])
    moments = [next(iter(s["optimizer"]["state"].values()))["exp_avg"] for s in states]
    assert not torch.equal(*moments)  # each learned from samples of its own


class Pair:
    def __init__(self, settings: Settings):
        self.settings = settings

    def __call__(self, company: Company) -> None:
        train(self.settings, company)


def test_the_rate_warms_up_and_falls_to_a_thirtieth():
    stage = replace(tiny(CHAIN).stages[0], steps=1000, warmup=10, learning_rate=1.0)
    assert rate(stage, 0) == pytest.approx(0.1, rel=1e-3)
    assert rate(stage, 9) == pytest.approx(1.0, rel=1e-3)
    assert rate(stage, 500) == pytest.approx(0.515, rel=1e-3)
    assert rate(stage, 999) == pytest.approx(0.03, rel=1e-3)
