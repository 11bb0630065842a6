# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from everwatch_training import frames
from everwatch_training.frames import PixelLimits
from everwatch_training.losses import Padded
from everwatch_training.model import Network
from everwatch_training.prompt import Prompt

LIMITS = PixelLimits(7056, 38416)
TOLERANCE = 2e-5  # float32; logits are of size 1


def clip(seed: int, height: int, width: int, fps: int):
    rng = np.random.default_rng(seed)
    return frames.clip(rng.integers(0, 256, (fps, height, width, 3), np.uint8), LIMITS)


def prompt_of(grammar, clips):
    prompt = Prompt(grammar)
    prompt.head(grammar.text(" Watch the road."))
    for index, one in enumerate(clips):
        prompt.ask(index, one)
        prompt.answer(grammar.turn(" A red bus stops." if index % 2 else ""))
    return prompt.sample()


def ours(network, samples, grammar):
    batch = Padded.of(samples, grammar.end_of_text, network.device)
    vision = network.vision([clip for sample in samples for clip in sample.clips])
    x = network.embed(batch.ids, vision, grammar.video_pad)
    return network.logits(network.decode(x, batch.positions))


@pytest.mark.parametrize("size", [(84, 84), (112, 112), (84, 196), (140, 112), (90, 160)])
def test_the_forward_pass_is_that_of_transformers_whatever_the_size_of_the_pictures(fresh, size):
    clips = [clip(n, *size, 2) for n in range(3)]
    sample = prompt_of(fresh.grammar, clips)
    hf, ids = fresh.network.hf, torch.from_numpy(sample.ids)[None]
    pads = ids == fresh.grammar.video_pad
    with torch.no_grad():
        expected = hf(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            pixel_values_videos=torch.from_numpy(
                np.concatenate([frames.normalise(c.rows) for c in clips])
            ),
            video_grid_thw=torch.tensor([[c.pairs, c.height, c.width] for c in clips]),
            second_per_grid_ts=torch.ones(3),
            mm_token_type_ids=pads.int() * 2,
        ).logits
        found = ours(fresh.network, [sample], fresh.grammar)[:, : len(sample)]
    assert (found - expected).abs().max() < TOLERANCE * expected.abs().max()


def test_positions_are_those_of_transformers(fresh):
    clips = [clip(n, 112, 84, 2) for n in range(3)]
    sample = prompt_of(fresh.grammar, clips)
    ids = torch.from_numpy(sample.ids)[None]
    expected, _ = fresh.network.hf.model.get_rope_index(
        ids,
        (ids == fresh.grammar.video_pad).int() * 2,
        video_grid_thw=torch.tensor([[c.pairs, c.height, c.width] for c in clips]),
        second_per_grid_ts=torch.ones(3),
    )
    assert np.array_equal(expected[:, 0].numpy(), sample.positions)


def test_a_sample_is_computed_alike_alone_and_beside_others_of_another_size(fresh):
    samples = [
        prompt_of(fresh.grammar, [clip(1, 84, 112, 8), clip(2, 84, 112, 8)]),
        prompt_of(fresh.grammar, [clip(3, 196, 140, 1)]),
        prompt_of(fresh.grammar, [clip(4, 100, 100, 3)] * 3),
    ]
    with torch.no_grad():
        together = ours(fresh.network, samples, fresh.grammar)
        for row, sample in enumerate(samples):
            alone = ours(fresh.network, [sample], fresh.grammar)[0, : len(sample)]
            assert (together[row, : len(sample)] - alone).abs().max() < TOLERANCE


def test_recomputing_activations_changes_no_gradient(fresh):
    sample = prompt_of(fresh.grammar, [clip(1, 84, 84, 4)])
    hf, gradients = fresh.network.hf, []
    for recompute in (False, True):
        hf.zero_grad(set_to_none=True)
        ours(Network(hf, recompute), [sample], fresh.grammar).square().mean().backward()
        gradients.append([p.grad.clone() for p in hf.parameters() if p.grad is not None])
    hf.zero_grad(set_to_none=True)
    assert len(gradients[0]) > 20
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


def test_frame_pairs_above_two_a_second_have_fractional_positions(fresh):
    prompt = Prompt(fresh.grammar)
    prompt.vision(clip(1, 84, 112, 8))
    times = prompt.sample().positions[0]
    assert times[1:-1].reshape(4, -1)[:, 0].tolist() == [1.0, 1.5, 2.0, 2.5]
    assert times[-1] == 1 + 4  # one above the largest: the width of four tokens
