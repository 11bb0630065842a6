# SPDX-License-Identifier: Apache-2.0
import numpy as np
import torch

from everwatch_training import frames
from everwatch_training.frames import PixelLimits
from everwatch_training.grammar import cut
from everwatch_training.recipe import Streaming
from everwatch_training.streaming import MEMORY, Stream

LIMITS = PixelLimits(7056, 38416)


def clips(count: int):
    rng = np.random.default_rng(5)
    return [
        frames.clip(rng.integers(0, 256, (2, 84, 112, 3), np.uint8), LIMITS) for _ in range(count)
    ]


def stream(fresh, **streaming) -> Stream:
    return Stream(
        fresh.network, fresh.grammar, Streaming(**streaming), " Watch the road.", max_new_tokens=4
    )


def test_the_cache_gives_what_one_pass_over_the_whole_prompt_gives(fresh):
    one, shown = stream(fresh), clips(4)
    for clip in shown:
        one.answer(clip)
    ids = torch.tensor([[i for s in one.segments for i in s.ids]])
    positions = torch.from_numpy(one._positions())[:, None]
    found = []

    def attend(layer, q, k, v):
        if layer == fresh.network.text_config.num_hidden_layers - 1:
            found.append((k, v))
        return whole._attend(layer, q, k, v)

    whole = stream(fresh)
    whole.cos, whole.sin = fresh.network.angles(positions)
    with torch.no_grad():
        x = fresh.network.embed(ids, fresh.network.vision(shown), fresh.grammar.video_pad)
        fresh.network.decode(x, positions, attend)
    for cached, expected in zip((one.keys[-1], one.values[-1]), found[0], strict=True):
        assert cached.shape == expected.shape
        assert (cached - expected).abs().max() < 1e-4


def test_words_of_old_rounds_move_to_the_memory_which_is_cut_to_sink_and_window(fresh):
    one = stream(fresh, rounds=3, text_sink=5, text_window=6)
    said = []
    for clip in clips(9):
        one.answer(clip)
        said.append(
            [i for s in one.segments if s.round == one.round - 1 and s.kind == 4 for i in s.ids]
        )
    one._compact()
    memory = [i for s in one.segments if s.kind == MEMORY for i in s.ids]
    spoken = [list(fresh.grammar.words(turn)) for turn in said[:7]]
    assert sum(map(len, spoken)) > 20  # a random model speaks
    content = list(fresh.grammar.text(" Watch the road."))
    for words in spoken:
        content = cut(content + words, 5, 6)
    assert memory == content
    assert one.rows() == one.keys[0].shape[2]


def test_a_fork_leaves_no_trace(fresh):
    one, other = stream(fresh), stream(fresh)
    shown = clips(5)
    for clip in shown:
        one.answer(clip)
        other.fork().answer(clip, "How many cars so far?")
        other.answer(clip)
    assert [s.ids for s in one.segments] == [s.ids for s in other.segments]
    assert all(torch.equal(a, b) for a, b in zip(one.keys, other.keys, strict=True))
