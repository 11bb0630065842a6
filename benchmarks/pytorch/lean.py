# SPDX-License-Identifier: Apache-2.0
"""The leanest loop that PyTorch allows here: plain functions on the checkpoint's tensors, buffers allocated once, keys kept
without rotation and a rotated copy made once per second (not per token), grouped attention without copies."""
import json
import os

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from memory import VISION_SIDE

CAPACITY = 4096


def rms(x, weight, eps=1e-6):
    return F.rms_norm(x, weight.shape, weight, eps)


def rotate(x, cos, sin):
    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin


class Lean:
    name = "lean loop"

    def __init__(self, folder):
        with open(os.path.join(folder, "config.json")) as f:
            self.c = json.load(f)
        self.v = self.c["vision_config"]
        w = {k: t.float().contiguous() for k, t in load_file(os.path.join(folder, "model.safetensors")).items()}
        self.embed, self.norm = w["model.embed_tokens.weight"], w["model.norm.weight"]
        self.blocks = [self._block(w, f"visual.blocks.{i}.") for i in range(self.v["depth"])]
        self.layers = [self._layer(w, f"model.layers.{i}.") for i in range(self.c["num_hidden_layers"])]
        patch = w["visual.patch_embed.proj.weight"]
        self.patch = patch.reshape(patch.shape[0], -1)
        self.merger = [w["visual.merger." + k] for k in
                       ("ln_q.weight", "mlp.0.weight", "mlp.0.bias", "mlp.2.weight", "mlp.2.bias")]
        self._vision_layout()
        self.heads, self.kv = self.c["num_attention_heads"], self.c["num_key_value_heads"]
        self.dim = self.c["hidden_size"] // self.heads
        self.frequency = 1.0 / self.c["rope_theta"] ** (torch.arange(0, self.dim, 2).float() / self.dim)
        self.component = torch.repeat_interleave(torch.arange(3), torch.tensor(self.c["rope_scaling"]["mrope_section"]))
        shape = (len(self.layers), self.kv, CAPACITY, self.dim)
        self.keys, self.rotated, self.values = torch.zeros(shape), torch.zeros(shape), torch.zeros(shape)
        self.rows = 0

    @staticmethod
    def _block(w, p):
        names = ("norm1.weight", "attn.qkv.weight", "attn.qkv.bias", "attn.proj.weight", "attn.proj.bias", "norm2.weight",
                 "mlp.gate_proj.weight", "mlp.gate_proj.bias", "mlp.up_proj.weight", "mlp.up_proj.bias",
                 "mlp.down_proj.weight", "mlp.down_proj.bias")
        return [w[p + n] for n in names]

    @staticmethod
    def _layer(w, p):
        a = p + "self_attn."
        return dict(
            norm1=w[p + "input_layernorm.weight"], norm2=w[p + "post_attention_layernorm.weight"],
            qkv=torch.cat([w[a + f"{n}_proj.weight"] for n in "qkv"]), qkv_bias=torch.cat([w[a + f"{n}_proj.bias"] for n in "qkv"]),
            out=w[a + "o_proj.weight"], down=w[p + "mlp.down_proj.weight"],
            gate_up=torch.cat([w[p + "mlp.gate_proj.weight"], w[p + "mlp.up_proj.weight"]]))

    def _vision_layout(self):
        side, window = VISION_SIDE, self.v["window_size"] // self.v["patch_size"] // 2
        units = torch.arange(side * side).view(side // window, window, side // window, window).permute(0, 2, 1, 3).reshape(-1)
        self.order, self.unorder = (units[:, None] * 4 + torch.arange(4)).reshape(-1), torch.argsort(units)
        self.window = window * window * 4
        y = ((units // side)[:, None] * 2 + torch.tensor([0, 0, 1, 1])).reshape(-1).float()
        x = ((units % side)[:, None] * 2 + torch.tensor([0, 1, 0, 1])).reshape(-1).float()
        quarter = self.v["hidden_size"] // self.v["num_heads"] // 2
        f = 1.0 / 10000.0 ** (torch.arange(0, quarter, 2).float() / quarter)
        angle = torch.cat([y[:, None] * f, x[:, None] * f], -1).repeat(1, 2)
        self.vcos, self.vsin = angle.cos(), angle.sin()

    def vision(self, patches):
        h = F.linear(torch.from_numpy(patches)[self.order], self.patch)
        n, heads = h.shape[0], self.v["num_heads"]
        for i, (n1, qkv, qkvb, proj, projb, n2, gate, gateb, up, upb, down, downb) in enumerate(self.blocks):
            q, k, v = F.linear(rms(h, n1), qkv, qkvb).view(n, 3, heads, -1).permute(1, 2, 0, 3)
            q, k = rotate(q, self.vcos, self.vsin), rotate(k, self.vcos, self.vsin)
            if i not in self.v["fullatt_block_indexes"]:
                q, k, v = (t.reshape(heads, n // self.window, self.window, -1) for t in (q, k, v))
            a = F.scaled_dot_product_attention(q, k, v).reshape(heads, n, -1).transpose(0, 1).reshape(n, -1)
            h = h + F.linear(a, proj, projb)
            y = rms(h, n2)
            h = h + F.linear(F.silu(F.linear(y, gate, gateb)) * F.linear(y, up, upb), down, downb)
        norm, w0, b0, w2, b2 = self.merger
        return F.linear(F.gelu(F.linear(rms(h, norm).view(n // 4, -1), w0, b0)), w2, b2)[self.unorder]

    def _angles(self, positions):
        angle = torch.from_numpy(positions)[self.component].T.float() * self.frequency
        angle = torch.cat([angle, angle], -1)
        return angle.cos(), angle.sin()

    def keep(self, rows, positions):
        """Keeps these rows in this order, which then stand at these positions."""
        n = len(rows)
        index = torch.tensor(rows)
        self.keys[:, :, :n] = self.keys[:, :, index]
        self.values[:, :, :n] = self.values[:, :, index]
        self.rotated[:, :, :n] = rotate(self.keys[:, :, :n], *self._angles(positions))
        self.rows = n

    def feed(self, ids, positions, vision=None, pad=None):
        """New rows behind the others; returns the logits after the last."""
        x = F.embedding(torch.tensor(ids), self.embed)
        if vision is not None:
            x[torch.tensor(ids) == pad] = vision
        n, before = len(ids), self.rows
        rows = before + n
        cos, sin = self._angles(positions)
        mask = None if n == 1 else torch.ones(n, rows, dtype=torch.bool).tril(before)
        heads, kv, dim = self.heads, self.kv, self.dim
        for i, w in enumerate(self.layers):
            qkv = F.linear(rms(x, w["norm1"]), w["qkv"], w["qkv_bias"]).view(n, heads + 2 * kv, dim).transpose(0, 1)
            q, k, v = qkv.split((heads, kv, kv))
            self.keys[i, :, before:rows], self.values[i, :, before:rows] = k, v
            self.rotated[i, :, before:rows] = rotate(k, cos, sin)
            a = F.scaled_dot_product_attention(rotate(q, cos, sin)[None], self.rotated[i, None, :, :rows],
                                               self.values[i, None, :, :rows], attn_mask=mask, enable_gqa=True)[0]
            x = x + F.linear(a.transpose(0, 1).reshape(n, -1), w["out"])
            gate, up = F.linear(rms(x, w["norm2"]), w["gate_up"]).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, w["down"])
        self.rows = rows
        return F.linear(rms(x[-1], self.norm), self.embed)
