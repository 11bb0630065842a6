# SPDX-License-Identifier: Apache-2.0
"""The prompt of a stream, part by part, as token ids: the one that the Java side serves.

Each part is tokenised alone, as `ChatGrammar` does; a test compares the ids of both sides.
"""

from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer

from .errors import TrainingError

SYSTEM = "You are a helpful assistant."
PAUSE = " ..."
SPECIALS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
MARKER_LIMIT_SECONDS = 9000


def time_marker(chunk: int, chunk_tenths: int = 10, limit_seconds: int = MARKER_LIMIT_SECONDS):
    """`Time=17.0-18.0s`; from the limit on through its upper half again and again.

    A model knows only the numbers that it was trained on.
    """
    count = limit_seconds * 10 // chunk_tenths
    if chunk < 0 or count < 2:
        raise ValueError(
            f"chunk {chunk} with {count} time markers below the limit; expected a chunk from 0 and"
            " at least two markers; raise the limit"
        )
    shown = chunk
    if chunk >= count:
        half = count // 2
        shown = half + (chunk - count) % (count - half)
    start, end = shown * chunk_tenths, (shown + 1) * chunk_tenths
    return f"Time={start // 10}.{start % 10}-{end // 10}.{end % 10}s"


class Grammar:
    """Parts of the prompt for one tokenizer. Text from outside stays text, chat markers too."""

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer
        tokenizer.encode_special_tokens = True
        self.end_of_text, self.im_start, self.im_end, self.vision_start, self.vision_end = (
            self._special(name) for name in SPECIALS[:5]
        )
        self.video_pad = self._special("<|video_pad|>")
        pause = self.text(PAUSE)
        newline = self.text("\n")
        if len(pause) != 1 or len(newline) != 1:
            raise TrainingError(
                f"the tokenizer cuts {PAUSE!r} into {len(pause)} and the newline into"
                f" {len(newline)} tokens; expected one each, on which the text memory depends;"
                " take the tokenizer of a Qwen2.5-VL checkpoint"
            )
        self.pause = pause[0]
        self.turn_close = (self.im_end, *newline)
        self.assistant_close = newline
        self.system = (self.im_start, *self.text("system\n" + SYSTEM), *self.turn_close)
        self.memory_open = (self.im_start, *self.text("previous text\n"))
        self.memory_close = self.turn_close
        self.user_open = (self.im_start, *self.text("user\n"))
        self.user_close = self.turn_close
        self.assistant_open = (self.im_start, *self.text("assistant\n"))

    @staticmethod
    def load(folder: str | Path) -> "Grammar":
        """Of a checkpoint folder."""
        path = Path(folder) / "tokenizer.json"
        if not path.is_file():
            raise TrainingError(
                f"{folder} has no tokenizer.json; expected a Qwen2.5-VL folder in Hugging Face"
                " form; name the folder that holds config.json and tokenizer.json"
            )
        return Grammar(Tokenizer.from_file(str(path)))

    def _special(self, content: str) -> int:
        token = self.tokenizer.token_to_id(content)
        if token is None:
            raise TrainingError(
                f"the tokenizer has no token {content}; expected the special tokens of"
                " Qwen2.5-VL; take the tokenizer of such a checkpoint"
            )
        return token

    @lru_cache(maxsize=50_000)  # noqa: B019 - one grammar lives as long as its process
    def text(self, text: str) -> tuple[int, ...]:
        """Any text; what looks like a chat marker is cut into ordinary tokens."""
        return tuple(self.tokenizer.encode(text, add_special_tokens=False).ids) if text else ()

    def marker(self, chunk: int) -> tuple[int, ...]:
        """The time marker of a chunk of one second."""
        return self.text(time_marker(chunk))

    def vision(self, pads: int) -> tuple[int, ...]:
        """Start, one pad for each vision token, end."""
        return (self.vision_start, *(self.video_pad,) * pads, self.vision_end)

    def turn(self, text: str) -> tuple[int, ...]:
        """What the model is to say in one turn; an empty text is silence."""
        return (*self.text(text), self.pause, self.im_end)

    def words(self, turn: list[int] | tuple[int, ...]) -> list[int]:
        """A turn without its pause and end."""
        ids = list(turn)
        while ids and ids[-1] in (self.im_end, self.end_of_text):
            ids.pop()
        if ids and ids[-1] == self.pause:
            ids.pop()
        return ids

    def decode(self, ids) -> str:
        return self.tokenizer.decode(list(ids), skip_special_tokens=True)


def cut(content: list[int], sink: int, window: int) -> list[int]:
    """The text memory: its first `sink` and last `window` tokens."""
    if len(content) <= sink + window:
        return content
    return content[:sink] + (content[-window:] if window else [])
