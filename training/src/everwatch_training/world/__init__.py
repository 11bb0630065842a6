# SPDX-License-Identifier: Apache-2.0
"""Synthetic cameras whose truth is known.

Drawing is done in integers and randomness is counter-based, so that every implementation gives the
same sentences and the same pixels. Specification: docs/design/world.md.
"""

from .camera import JPEG_QUALITY, SCENES, Camera, Start, Thing, all_words, jpeg
from .scene import Second, Seen
from .view import View
from .words import Due, Question, bare

__all__ = [
    "JPEG_QUALITY",
    "SCENES",
    "Camera",
    "Due",
    "Question",
    "Second",
    "Seen",
    "Start",
    "Thing",
    "View",
    "all_words",
    "bare",
    "jpeg",
]
