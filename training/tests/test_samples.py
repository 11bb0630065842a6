# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest

from everwatch_training.cells import HEADS, LAMPS, THINGS, labelled
from everwatch_training.grammar import PAUSE
from everwatch_training.prompt import ANSWER, EVENT
from everwatch_training.recipe import Lesson, Stage
from everwatch_training.scenes import Told, is_known
from everwatch_training.stages import SceneBatches
from everwatch_training.world import Due

LESSON = Lesson(0.0, 24, 48)


def stage(**changes) -> Stage:
    return Stage(**dict(dict(kind="sft", steps=10, batch=4, learning_rate=1e-3), **changes))


def chunks(fresh, count, lesson=LESSON, **changes):
    for seed in range(count):
        yield fresh.samples.chunk(np.random.default_rng([7, seed]), stage(**changes), lesson)


def words(fresh, sample, index, span=1):
    return fresh.grammar.decode(sample.ids[index : index + span])


def test_a_sample_is_a_function_of_its_generator_alone(fresh):
    first, again = (list(chunks(fresh, 3, questions=0.5)) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.ids, b.ids) and np.array_equal(a.weights, b.weights)
        assert all(np.array_equal(x.rows, y.rows) for x, y in zip(a.clips, b.clips, strict=True))


def test_every_turn_is_learned_with_its_end_and_nothing_else_is(fresh):
    for sample in chunks(fresh, 20, questions=0.5):
        supervised = sample.turns > 0
        assert (sample.weights[~supervised] == 0).all()
        ends = sample.ids[supervised] == fresh.grammar.im_end
        assert ends.sum() == sample.seconds == len(sample.clips)
        assert (sample.weights[supervised][ends] == 1).all()
        assert words(fresh, sample, 0, 3).startswith("system")


def test_samples_stay_below_the_longest_length(fresh):
    for sample in chunks(fresh, 40, lesson=Lesson(0.0, 24, 384), plain=0.0, tokens=1500):
        assert sample.seconds >= 4
        # 8 frames a second of the largest pictures need four seconds of 224 tokens and more.
        assert len(sample) <= 1500 or sample.seconds == 4


def test_a_number_that_the_sample_does_not_tell_carries_no_loss_and_is_no_decision(fresh):
    known = unknown = 0
    for sample in chunks(fresh, 120, scenes=["road"], lesson=Lesson(0.0, 12, 12), plain=1.0):
        text = fresh.grammar.text(" number")[0]
        for index in np.flatnonzero((sample.ids == text) & (sample.turns == EVENT)):
            earlier = np.flatnonzero(sample.ids[:index] == text)
            if sample.weights[index + 1]:
                known += 1
                assert len(earlier) or words(fresh, sample, index + 1) == " one"
                assert sample.weights[index + 1] == 3.0
            else:
                unknown += 1
                assert not (sample.turns[earlier] == EVENT).any()
                assert sample.decisions[index + 1] == 0
    assert known > 30 and unknown > 10


def test_what_was_cut_from_the_memory_is_not_known():
    told = Told([0, 1], {})
    for second in range(5):
        told.add(second, [10 + second] * 4)
    content, seconds, whole = told.kept(6, 8)
    assert (content[:6], content[6:]) == ([0, 1] + [10] * 4, [13] * 4 + [14] * 4)
    assert (seconds, whole) == ({0, 3, 4}, False)
    assert is_known(Due("number", 0, 1, True, 3), seconds, whole)
    assert not is_known(Due("number", 0, 1, True, 2), seconds, whole)
    assert not is_known(Due("number", 0, 1, True, None), seconds, whole)  # may have been cut
    assert is_known(Due("number", 0, 1, True, None), seconds, True)
    assert not is_known(Due("number", 0, 1, False, 3), seconds, whole)


def test_questions_stand_behind_the_pictures_and_are_answered_in_their_turn(fresh):
    asked = 0
    for sample in chunks(fresh, 20, questions=1.0):
        answers = np.flatnonzero((sample.turns == ANSWER) & (np.r_[0, sample.turns[:-1]] == 0))
        for index in answers:
            asked += 1
            before = words(fresh, sample, index - 24, 24)
            assert "?" in before and before.endswith("assistant\n")
    assert asked >= 20


def test_the_drill_asks_mostly_for_what_memory_tells(fresh):
    gates = rest = 0.0
    for seed in range(40):
        rng = np.random.default_rng([8, seed])
        sample = fresh.samples.drill(rng, stage(questions=0.5), 4, 2)
        assert not sample.clips
        assert (np.diff(sample.positions[0]) >= 1).all()
        gates += sample.weights[sample.weights >= 1].sum()
        rest += sample.weights[sample.weights < 1].sum()
    assert gates > 3 * rest


def test_captions_describe_each_second(fresh):
    sample = fresh.samples.caption(np.random.default_rng(9), stage(scenes=["road"]))
    text = fresh.grammar.decode(sample.ids)
    assert " Watch the road." in text
    assert text.count(" light ") == 2 and text.count(PAUSE) == 2


def test_a_stage_follows_its_curriculum_and_mixes_in_what_must_not_be_forgotten(fresh):
    lessons = [Lesson(0.0, 4, 48), Lesson(0.5, 8, 48)]
    mixed = stage(
        captions_every=4, captions=2, drill_every=5, drill=3, curriculum=lessons, plain=1.0
    )
    batches = SceneBatches(fresh.samples, replace(mixed, steps=20, batch=1, plain=1.0))
    seen = {}
    for step in (0, 1, 4, 6, 9, 10, 19):
        parts = batches.parts(step, np.random.default_rng(step))
        seen[step] = [(p.name, len(p.samples), p.samples[0].seconds) for p in parts]
    assert seen == {
        0: [("chunks", 2, 4), ("captions", 2, 2)],
        1: [("chunks", 2, 4), ("drill", 3, 0)],
        4: [("chunks", 2, 4), ("captions", 2, 2)],
        6: [("chunks", 2, 4), ("drill", 3, 0)],
        9: [("chunks", 2, 4)],
        10: [("chunks", 1, 8)],
        19: [("chunks", 1, 8)],
    }


def test_decisions_are_split_by_their_answer(fresh):
    names = set(fresh.samples.decisions.names)
    assert {
        "turn>silence",
        "turn>A",
        "turn>The",
        "kind>number",
        "kind>enters",
        "number>count",
        "a>colour",
        "item>number",
        "item>goes",
        "the>side",
        ",>count",
    } <= names
    assert ("kind", "number") in fresh.samples.decisions.gates
    assert ("kind", "enters") in fresh.samples.decisions.gates
    assert ("kind", "stops") not in fresh.samples.decisions.gates


@pytest.mark.parametrize("scene", ["road", "door"])
def test_dense_labels_lie_where_the_things_are(fresh, scene):
    seen = set()
    for seed in range(6):
        rng = np.random.default_rng([10, seed])
        for item in labelled(fresh.samples, rng, stage(scenes=[scene], plain=0.5, batch=8)):
            assert item.labels.shape == (len(HEADS), item.clip.tokens)
            thing, motion, carried, lamp = item.labels
            assert ((motion != 0) == (thing > 0)).all()
            assert (thing[carried > 0] > 0).all()
            assert (lamp > 0).sum() == (scene == "road")
            seen |= {THINGS[t - 1].split()[0] for t in thing if t}
            seen |= {LAMPS[t - 1] for t in lamp if t}
    assert seen == ({"person"} if scene == "door" else {"car", "bus", "bike", *LAMPS})
