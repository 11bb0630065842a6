# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from everwatch_training.losses import Padded, Scores, token_loss
from everwatch_training.prompt import ANSWER, EVENT, SILENCE, Prompt
from everwatch_training.recipe import Lesson, Stage


def sample(fresh, texts, weight=1.0):
    """A stream without video; the second token of each sentence has a weight of its own."""
    grammar, decisions = fresh.grammar, fresh.samples.decisions
    prompt = Prompt(grammar)
    prompt.head(grammar.text(" Watch the road."))
    for index, text in enumerate(texts):
        prompt.ask(index, None)
        turn = grammar.turn(text)
        weights, names = [1.0] * len(turn), [0] * len(turn)
        names[0] = decisions.code("turn", "A" if text else "silence")
        if text:
            weights[1] = weight
        prompt.answer(turn, weights, names, EVENT if text else SILENCE)
    return prompt.sample()


def loss_of(fresh, samples):
    pads = (fresh.grammar.end_of_text, fresh.grammar.video_pad)
    with torch.no_grad():
        return token_loss(fresh.network, samples, fresh.samples.decisions, pads, False)


def logits_of(fresh, one):
    batch = Padded.of([one], fresh.grammar.end_of_text, torch.device("cpu"))
    with torch.no_grad():
        x = fresh.network.embed(batch.ids, None, fresh.grammar.video_pad)
        return fresh.network.logits(fresh.network.decode(x, batch.positions))[0, : len(one)]


def test_the_loss_is_the_weighted_mean_over_the_supervised_tokens(fresh):
    samples = [sample(fresh, [" A red bus stops.", ""], 3.0), sample(fresh, [""] * 5)]
    each, weights = [], []
    for one in samples:
        at = np.flatnonzero(one.weights > 0)
        target = torch.from_numpy(one.ids[at])
        each.append(F.cross_entropy(logits_of(fresh, one)[at - 1], target, reduction="none"))
        weights.append(torch.from_numpy(one.weights[at]))
    each, weights = torch.cat(each), torch.cat(weights)
    assert set(weights.tolist()) == {1.0, 3.0}
    expected = (each * weights).sum() / weights.sum()
    found, _ = loss_of(fresh, samples)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    assert found.item() != pytest.approx(each.mean().item(), rel=1e-4)


def test_turns_and_decisions_are_counted_by_what_the_model_would_say(fresh):
    """The truth is made of what the model says, with one token changed."""
    one = sample(fresh, [" A red bus stops.", "", " A red bus stops."], 0.0)
    turns = np.flatnonzero(one.turns)
    for index in turns:  # from left to right: each follows from those before it
        one.ids[index] = logits_of(fresh, one)[index - 1].argmax()
    _, scores = loss_of(fresh, [one])
    assert scores.means() == {
        "right/turn>A": 1.0,
        "right/turn>silence": 1.0,
        "turns/events": 1.0,
        "turns/silence": 1.0,
    }
    unknown = np.flatnonzero((one.turns == EVENT) & (one.weights == 0))[-1]
    last = turns[turns > unknown]
    one.ids[unknown] = (one.ids[unknown] + 1) % 256
    for index in last:
        one.ids[index] = logits_of(fresh, one)[index - 1].argmax()
    assert loss_of(fresh, [one])[1].means()["turns/events"] == 1.0  # nobody could know it
    one.ids[last[0]] = (one.ids[last[0]] + 1) % 256
    found = loss_of(fresh, [one])[1]
    assert found.sums["turns/events"] == [1.0, 2.0]
    assert found.sums["turns/silence"] == [1.0, 1.0]


def test_scores_of_several_batches_add_up():
    total = Scores()
    for right, count in ((1, 4), (3, 4), (0, 0)):
        one = Scores()
        one.add("x", right, count)
        total.merge(one)
    assert total.means() == {"x": 0.5}


def test_a_frozen_tower_gets_no_gradient(fresh):
    stage = Stage("sft", 1, 1, 1e-3, questions=1.0)
    one = fresh.samples.chunk(np.random.default_rng(3), stage, Lesson(0.0, 4, 48))
    assert (one.turns == ANSWER).any()
    pads = (fresh.grammar.end_of_text, fresh.grammar.video_pad)
    hf = fresh.network.hf
    for frozen in (True, False):
        hf.zero_grad(set_to_none=True)
        loss, _ = token_loss(fresh.network, [one], fresh.samples.decisions, pads, frozen)
        loss.backward()
        tower = [p.grad is not None for p in hf.model.visual.parameters()]
        assert not any(tower) if frozen else all(tower)
    hf.zero_grad(set_to_none=True)
