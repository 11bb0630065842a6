# SPDX-License-Identifier: Apache-2.0
"""Frames of a folder, decoded and cut into patches as the processor of Qwen2-VL does for 112x112 pixels."""
import glob
import io
import os

import numpy as np
from PIL import Image

MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
SIDE, PATCH, MERGE = 112, 14, 2


def read(folder):
    """The encoded files in name order: decoding is part of what is timed."""
    files = sorted(glob.glob(os.path.join(folder, "*.png")))
    if not files:
        raise SystemExit(f"no *.png in {folder}")
    return [open(f, "rb").read() for f in files]


def patches(pair):
    """Two encoded frames -> float32 [64, 1176], merge groups together."""
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in pair])
    if pixels.shape[1:3] != (SIDE, SIDE):
        raise SystemExit(f"frames of {pixels.shape[1:3]}, expected {SIDE}x{SIDE}")
    x = (pixels.astype(np.float32) / 255 - MEAN) / STD
    cells = SIDE // PATCH // MERGE
    x = x.transpose(0, 3, 1, 2).reshape(2, 3, cells, MERGE, PATCH, cells, MERGE, PATCH)
    return np.ascontiguousarray(x.transpose(2, 5, 3, 6, 1, 0, 4, 7).reshape(-1, 3 * 2 * PATCH * PATCH))
