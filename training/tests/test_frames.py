# SPDX-License-Identifier: Apache-2.0
"""Pictures become the numbers that the serving side makes of them: the same golden files."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file

from conftest import REPOSITORY
from everwatch_training.frames import PixelLimits, clip, normalise, target_size

GOLDEN = REPOSITORY / "operators/src/test/golden/qwen2_5_vl/processor"
SIZES = json.loads((GOLDEN / "smart_resize.json").read_text())
CASES = json.loads((GOLDEN / "cases.json").read_text())
FRAMES = load_file(GOLDEN / "frames.safetensors")
PATCHES = load_file(GOLDEN / "patches_u8.safetensors")


def test_pictures_are_resized_to_the_published_sizes():
    assert len(SIZES) > 50
    for height, width, least, most, expected in SIZES:
        found = target_size(height, width, PixelLimits(least, most))
        assert list(found) == expected, (height, width, least, most)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_patches_are_those_of_the_serving_side(case):
    made = clip(FRAMES[case["name"]], PixelLimits(case["min_pixels"], case["max_pixels"]))
    assert [made.pairs, made.height, made.width] == case["grid_thw"]
    assert made.tokens == case["tokens"]
    assert np.array_equal(made.rows, PATCHES[case["name"]].reshape(made.rows.shape))


def test_values_are_normalised_by_channel():
    rows = np.arange(1176, dtype=np.int64)[None].astype(np.uint8)
    values = normalise(rows)
    assert values.dtype == np.float32
    for channel, mean, std in ((0, 0.48145466, 0.26862954), (2, 0.40821073, 0.27577711)):
        at = channel * 392 + 5
        assert values[0, at] == pytest.approx((rows[0, at] / 255 - mean) / std, abs=1e-6)


def test_an_odd_last_frame_is_repeated_and_the_step_is_that_of_its_rate():
    frames = np.random.default_rng(3).integers(0, 256, (3, 56, 84, 3), np.uint8)
    made = clip(frames, PixelLimits(0, 10**6))
    rows = made.rows.reshape(2, 24, 3, 2, 196)  # pair, patch, channel, frame, pixel
    assert np.array_equal(rows[1, :, :, 0], rows[1, :, :, 1])
    assert not np.array_equal(rows[0, :, :, 0], rows[0, :, :, 1])
    assert made.time_step == pytest.approx(2 / 3 * 2)


def test_a_picture_that_is_a_line_is_refused():
    with pytest.raises(ValueError, match="at most 200 times the shorter; crop it"):
        target_size(1, 300, PixelLimits(1, 10**6))
