# SPDX-License-Identifier: Apache-2.0
"""A batched forward pass over the parameters of transformers' Qwen2.5-VL.

The parameters are the published ones, so any Qwen2.5-VL folder can be trained and what is written
is a standard checkpoint. The forward is our own because the stock one loops over the windows of the
vision tower in Python, which is slow for many small frames; a test compares both.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from .frames import MERGE, Clip, normalise
from .grammar import Grammar

VISION_THETA = 10_000.0


def configuration(grammar: Grammar, sizes: dict) -> Qwen2_5_VLConfig:
    """Of a model from scratch.

    Args:
        sizes: the recipe's `[model]` table
    """
    head = sizes["hidden_size"] // sizes["heads"]
    spatial = head // 16 * 3
    return Qwen2_5_VLConfig(
        text_config=dict(
            vocab_size=sizes["vocab_size"],
            hidden_size=sizes["hidden_size"],
            intermediate_size=sizes["mlp_size"],
            num_hidden_layers=sizes["layers"],
            num_attention_heads=sizes["heads"],
            num_key_value_heads=sizes["kv_heads"],
            max_position_embeddings=32768,
            rms_norm_eps=1e-6,
            tie_word_embeddings=True,
            use_sliding_window=False,
            rope_parameters=dict(
                rope_type="default",
                rope_theta=10000.0,
                mrope_section=[head // 2 - 2 * spatial, spatial, spatial],
            ),
            bos_token_id=grammar.end_of_text,
            eos_token_id=grammar.im_end,
            pad_token_id=grammar.end_of_text,
        ),
        vision_config=dict(
            depth=sizes["vision_layers"],
            hidden_size=sizes["vision_hidden_size"],
            intermediate_size=sizes["vision_mlp_size"],
            num_heads=sizes["vision_heads"],
            in_channels=3,
            patch_size=14,
            spatial_merge_size=MERGE,
            temporal_patch_size=2,
            tokens_per_second=2,
            window_size=sizes["vision_window_size"],
            fullatt_block_indexes=sizes["vision_full_attention"],
            out_hidden_size=sizes["hidden_size"],
        ),
        image_token_id=grammar.tokenizer.token_to_id("<|image_pad|>"),
        video_token_id=grammar.video_pad,
        vision_start_token_id=grammar.vision_start,
        vision_end_token_id=grammar.vision_end,
        tie_word_embeddings=True,
    )


def rms(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    x = x.float()
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight.float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Half-split rotation; float32 in and out of the products."""
    half = x.shape[-1] // 2
    x = x.float()
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin


class _Frame(NamedTuple):
    """One frame pair in window order: where its merge groups go, its windows, its angles."""

    order: np.ndarray
    windows: tuple[int, ...]
    angles: np.ndarray


class _Spans(NamedTuple):
    """Attention within runs of patches: rows of all runs of one length, [runs, length] each."""

    groups: list[Tensor]


class Layout(NamedTuple):
    """Of a batch of clips."""

    order: Tensor
    windows: _Spans
    frames: _Spans
    cos: Tensor
    sin: Tensor


class Network:
    """Vision tower, decoder and logits of one model.

    Args:
        recompute: keep no activations of a layer, compute them again in the backward pass
    """

    def __init__(self, hf: Qwen2_5_VLForConditionalGeneration, recompute: bool = False):
        self.hf = hf
        self.tower = hf.model.visual
        self.decoder = hf.model.language_model
        self.recompute = recompute
        self.vision_config = hf.config.vision_config
        self.text_config = hf.config.text_config
        text = self.text_config
        self.head_dim = getattr(text, "head_dim", None) or (
            text.hidden_size // text.num_attention_heads
        )
        rope = text.rope_parameters
        exponent = torch.arange(0, self.head_dim, 2, dtype=torch.float32) / self.head_dim
        self.frequencies = (1.0 / rope["rope_theta"] ** exponent).to(self.device)
        sections = torch.tensor(rope["mrope_section"])
        self.axis = torch.repeat_interleave(torch.arange(3), sections).to(self.device)

    @property
    def device(self) -> torch.device:
        return self.decoder.embed_tokens.weight.device

    @property
    def tokens_per_second(self) -> float:
        return float(self.vision_config.tokens_per_second)

    # ---- vision

    @lru_cache(maxsize=256)  # noqa: B019 - one network lives as long as its process
    def _frame(self, height: int, width: int) -> _Frame:
        config = self.vision_config
        side = config.window_size // config.patch_size // MERGE
        groups = np.arange(height // MERGE * (width // MERGE)).reshape(height // MERGE, -1)
        windows = [
            groups[top : top + side, left : left + side].reshape(-1)
            for top in range(0, groups.shape[0], side)
            for left in range(0, groups.shape[1], side)
        ]
        order = np.concatenate(windows)
        pairs = config.hidden_size // config.num_heads // 2
        frequencies = (
            1.0 / VISION_THETA ** (np.arange(0, pairs, 2, dtype=np.float32) / pairs)
        ).astype(np.float32)
        inner = np.arange(MERGE * MERGE)
        rows = (order[:, None] // groups.shape[1] * MERGE + inner // MERGE).reshape(-1)
        columns = (order[:, None] % groups.shape[1] * MERGE + inner % MERGE).reshape(-1)
        angles = np.concatenate([rows[:, None] * frequencies, columns[:, None] * frequencies], 1)
        return _Frame(order, tuple(len(w) * MERGE * MERGE for w in windows), angles)

    def layout(self, clips: list[Clip]) -> Layout:
        """Of the frame pairs of all clips, one behind the other."""
        orders, lengths, frames, angles, base = [], [], [], [], 0
        for clip in clips:
            frame = self._frame(clip.height, clip.width)
            for _ in range(clip.pairs):
                orders.append(frame.order + base)
                base += len(frame.order)
                lengths.extend(frame.windows)
                frames.append(clip.height * clip.width)
                angles.append(frame.angles)
        angle = torch.from_numpy(np.concatenate(angles)).to(self.device)
        angle = torch.cat([angle, angle], -1)[:, None]
        return Layout(
            torch.from_numpy(np.concatenate(orders)).to(self.device),
            self._spans(lengths),
            self._spans(frames),
            angle.cos(),
            angle.sin(),
        )

    def _spans(self, lengths: list[int]) -> _Spans:
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        sizes = np.array(lengths)
        groups = [
            torch.from_numpy(starts[sizes == size][:, None] + np.arange(size)).to(self.device)
            for size in np.unique(sizes)
        ]
        return _Spans(groups)

    @staticmethod
    def _within(spans: _Spans, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attention of [patches, heads, dim] inside each span alone."""
        if len(spans.groups) == 1:  # all of one length: they lie one behind the other
            runs = spans.groups[0].shape
            heads = [x.unflatten(0, runs).transpose(1, 2) for x in (q, k, v)]
            return F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(0, 1).flatten(1)
        out = torch.empty_like(v)
        for rows in spans.groups:
            heads = [x[rows].transpose(1, 2) for x in (q, k, v)]
            out[rows] = F.scaled_dot_product_attention(*heads).transpose(1, 2)
        return out.flatten(1)

    def vision(self, clips: list[Clip]) -> Tensor:
        """Vision tokens [tokens, C] of all clips, in the order of their pads."""
        config = self.vision_config
        layout = self.layout(clips)
        pixels = torch.from_numpy(normalise(np.concatenate([clip.rows for clip in clips])))
        unit = MERGE * MERGE
        pixels = (
            pixels.to(self.device).view(len(layout.order), unit, -1)[layout.order].flatten(0, 1)
        )
        weight = self.tower.patch_embed.proj.weight
        # Under autocast products are bf16, but the sum that runs through the layers is not.
        x = F.linear(pixels.to(weight.dtype), weight.flatten(1)).to(weight.dtype)
        for index, block in enumerate(self.tower.blocks):
            full = index in config.fullatt_block_indexes
            spans = layout.frames if full else layout.windows
            x = self._layer(self._block, block, x, spans, layout.cos, layout.sin)
        x = rms(x, self.tower.merger.ln_q.weight).to(weight.dtype)
        x = self.tower.merger.mlp(x.view(len(layout.order), -1))
        return torch.empty_like(x).index_copy(0, layout.order, x)

    def _block(self, block: nn.Module, x: Tensor, spans: _Spans, cos: Tensor, sin: Tensor):
        y = rms(x, block.norm1.weight).to(x.dtype)
        heads = self.vision_config.num_heads
        q, k, v = block.attn.qkv(y).unflatten(-1, (3, heads, -1)).unbind(1)
        q, k = rotate(q, cos, sin).to(v.dtype), rotate(k, cos, sin).to(v.dtype)
        x = x + block.attn.proj(self._within(spans, q, k, v))
        y = rms(x, block.norm2.weight).to(x.dtype)
        mlp = block.mlp
        return x + mlp.down_proj(F.silu(mlp.gate_proj(y)) * mlp.up_proj(y))

    # ---- language

    def angles(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """[3, B, T] -> cos and sin [B, 1, T, D]."""
        angle = positions.float()[self.axis].permute(1, 2, 0) * self.frequencies
        angle = torch.cat([angle, angle], -1)[:, None]
        return angle.cos(), angle.sin()

    def embed(self, ids: Tensor, vision: Tensor | None, pad: int) -> Tensor:
        """[B, T] -> [B, T, C], pads replaced by vision tokens."""
        x = F.embedding(ids, self.decoder.embed_tokens.weight)
        if vision is not None:
            x = x.masked_scatter((ids == pad)[..., None], vision.to(x.dtype))
        return x

    def decode(self, x: Tensor, positions: Tensor, attend=None) -> Tensor:
        """Final hidden states [B, T, C] of whole sequences, padded at their ends.

        Args:
            attend: attention over a cache instead: (layer, q, k, v) -> [B, H, T, D], not rotated
        """
        cos, sin = self.angles(positions)
        for index, layer in enumerate(self.decoder.layers):
            if attend is None:
                x = self._layer(self._decoder_layer, layer, x, cos, sin, None)
            else:
                x = self._decoder_layer(
                    layer, x, cos, sin, lambda q, k, v, at=index: attend(at, q, k, v)
                )
        return rms(x, self.decoder.norm.weight, self.text_config.rms_norm_eps)

    def _decoder_layer(self, layer: nn.Module, x: Tensor, cos: Tensor, sin: Tensor, attend):
        text, attention = self.text_config, layer.self_attn
        y = rms(x, layer.input_layernorm.weight, text.rms_norm_eps).to(x.dtype)
        q, k, v = (
            project(y).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
            for project in (attention.q_proj, attention.k_proj, attention.v_proj)
        )
        if attend is not None:
            o = attend(q, k, v)
        else:
            q, k = rotate(q, cos, sin).to(v.dtype), rotate(k, cos, sin).to(v.dtype)
            share = q.shape[1] // k.shape[1]
            k, v = (z.repeat_interleave(share, 1) for z in (k, v))
            o = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + attention.o_proj(o.transpose(1, 2).flatten(2))
        y = rms(x, layer.post_attention_layernorm.weight, text.rms_norm_eps).to(x.dtype)
        mlp = layer.mlp
        return x + mlp.down_proj(F.silu(mlp.gate_proj(y)) * mlp.up_proj(y))

    def logits(self, hidden: Tensor) -> Tensor:
        weight = self.hf.lm_head.weight
        return F.linear(hidden.to(weight.dtype), weight)

    def _layer(self, function, *arguments):
        if self.recompute and torch.is_grad_enabled():
            return checkpoint(function, *arguments, use_reentrant=False)
        return function(*arguments)
