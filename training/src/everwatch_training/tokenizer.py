# SPDX-License-Identifier: Apache-2.0
"""A byte-level tokenizer of Qwen2.5's family, built from text, small enough for a tiny model."""

from collections.abc import Iterable

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

from .errors import TrainingError
from .grammar import PAUSE, SPECIALS, SYSTEM

# Qwen2.5's pre-tokenizer: a word takes its space along, digits stand alone.
PIECES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)
FRAME = ("system\n" + SYSTEM, "previous text\n", "user\nTime=0.0-1.0s", "assistant\n", PAUSE)


def build(texts: Iterable[str], rows: int) -> Tokenizer:
    """A tokenizer of at most `rows` ids in which each word of `texts` is one token.

    Each word counts alike: counted by their frequency in streams, number words above eleven would
    be cut into pieces, since few streams count that far.

    Args:
        rows: of the embedding, special tokens included
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    split = pre_tokenizers.Split(Regex(PIECES), "isolated")
    words = sorted({word for text in texts for word, _ in split.pre_tokenize_str(text)})
    trainer = trainers.BpeTrainer(
        vocab_size=rows - len(SPECIALS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*words, *FRAME], trainer)
    tokenizer.add_special_tokens(
        [AddedToken(name, special=True, normalized=False) for name in SPECIALS]
    )
    cut = [word for word in words if len(tokenizer.encode(word).ids) != 1]
    if cut:
        raise TrainingError(
            f"{len(cut)} of {len(words)} words do not fit {rows} token ids, {cut[0]!r} among them;"
            " expected one token each; raise vocab_size"
        )
    return tokenizer
