# SPDX-License-Identifier: Apache-2.0
"""PyTorch on the shapes that `kernels/gpu-check` times Everwatch on: products, attention, and the streaming loop.

    python gpu_peer.py --out DIR [--seconds-left N] [--device cuda]

Reads DIR/shapes.json, appends one line per item to DIR/torch.jsonl (the form of benchmarks' Item.java) and passes over
items that stand there. Timed as the other side is: batches of calls of 20 ms or more that end with the device at rest,
operands taken in turn so that none comes from the cache. Exit status 0: all done, 1: one failed, 3: the time is over.
"""
import argparse
import json
import math
import os
import statistics
import sys
import time

import torch
import torch.nn.functional as F

BEYOND_CACHE, MOST_COPIES = 256 << 20, 8
TEXT = {  # of the published configurations
    "random:qwen2.5-vl-7b": dict(hidden_size=3584, num_hidden_layers=28, num_attention_heads=28, num_key_value_heads=4,
                                 intermediate_size=18944, vocab_size=152064),
    "random:qwen2.5-vl-3b": dict(hidden_size=2048, num_hidden_layers=36, num_attention_heads=16, num_key_value_heads=2,
                                 intermediate_size=11008, vocab_size=151936, tie_word_embeddings=True),
    "tiny": dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
                 intermediate_size=96, vocab_size=200),
}
VISION = dict(depth=32, hidden_size=1280, num_heads=16, intermediate_size=3420, fullatt_block_indexes=[7, 15, 23, 31])
TINY_VISION = dict(depth=2, hidden_size=64, num_heads=2, intermediate_size=96, fullatt_block_indexes=[1])


class Skipped(Exception):
    """Cannot be done here; the message says why."""


class Ledger:
    def __init__(self, directory, seconds_left):
        self.file = os.path.join(directory, "torch.jsonl")
        self.until = time.monotonic() + seconds_left
        self.last, self.failed, self.over = {}, False, False
        if os.path.exists(self.file):
            with open(self.file) as f:
                for line in filter(str.strip, f):
                    self._note(json.loads(line))

    def _note(self, item):
        self.last[item["item"]] = item["status"]

    def _write(self, name, status, seconds=0.0, detail="", figures=None):
        item = dict(part="torch", item=name, status=status, seconds=round(seconds, 3), detail=detail, figures=figures or {})
        with open(self.file, "a") as f:
            f.write(json.dumps(item) + "\n")
        self._note(item)

    def item(self, name, body):
        if self.last.get(name, "STARTED") != "STARTED":
            self.failed |= self.last[name] == "FAILED"
            return
        if self.over or time.monotonic() > self.until:
            self.over = True
            return
        print(f"torch: {name}", file=sys.stderr)
        self._write(name, "STARTED")
        begin = time.monotonic()
        try:
            figures = body()
            self._write(name, "PASSED", time.monotonic() - begin, "", figures)
        except Skipped as e:
            self._write(name, "SKIPPED", time.monotonic() - begin, str(e))
        except Exception as e:  # noqa: BLE001 - the next item may work
            self.failed = True
            self._write(name, "FAILED", time.monotonic() - begin, f"{type(e).__name__}: {e}")


class Timing:
    def __init__(self, device, tiny):
        self.samples, self.minimum = (2, 0.0) if tiny else (30, 0.02)
        self.rest = torch.cuda.synchronize if device.type == "cuda" else (lambda: None)

    def _sample(self, call, calls):
        begin = time.perf_counter()
        for i in range(calls):
            call(i)
        self.rest()
        return (time.perf_counter() - begin) / calls

    def of(self, call):
        """Median seconds of a call, and the spread of the samples."""
        self._sample(call, 1)
        calls = 1
        while calls < 1 << 20 and self._sample(call, calls) * calls < self.minimum:
            calls *= 2
        seconds = sorted(self._sample(call, calls) for _ in range(self.samples))
        median = statistics.median(seconds)
        return median, (seconds[-1] - seconds[0]) / median


def rates(seconds, spread, **more):
    return dict(micros=seconds * 1e6, spread=spread, **more)


def copy(timing, count):
    a = torch.zeros(count, dtype=torch.uint8)
    b = torch.empty_like(a)
    seconds, spread = timing.of(lambda i: b.copy_(a))
    return rates(seconds, spread, copyGbPerSecond=2 * count / seconds / 1e9)


def product(timing, dtype, m, n, k):
    copies = max(1, min(MOST_COPIES, BEYOND_CACHE // (2 * n * k)))
    weights = [torch.randn(n, k, dtype=dtype) * 0.03 for _ in range(copies)]
    x = torch.randn(m, k, dtype=dtype)
    y = torch.empty(m, n, dtype=dtype)
    seconds, spread = timing.of(lambda i: torch.matmul(x, weights[i % copies].T, out=y))
    return rates(seconds, spread, tflops=2 * m * n * k / seconds / 1e12)


def prefill(timing, dtype, d):
    heads, kv, dim, past, added = d["heads"], d["kvHeads"], d["headDim"], d["past"], d["added"]
    q = torch.randn(1, heads, added, dim, dtype=dtype)
    k, v = (torch.randn(1, kv, past + added, dim, dtype=dtype) for _ in range(2))
    found = {}
    # The kernels that PyTorch has for a mask that ends at the lower right corner; the fastest one counts.
    try:
        from torch.nn.attention.bias import causal_lower_right
        bias = causal_lower_right(added, past + added)
        group = heads // kv
        kk, vv = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)  # outside of what is timed
        found["causal"] = timing.of(lambda i: F.scaled_dot_product_attention(q, kk, vv, attn_mask=bias))
    except (ImportError, RuntimeError, ValueError) as e:
        print(f"torch: no lower right causal attention: {e}", file=sys.stderr)
    mask = torch.ones(added, past + added, dtype=torch.bool).tril(past)
    found["mask"] = timing.of(lambda i: F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True))
    kind = min(found, key=lambda name: found[name][0])
    seconds, spread = found[kind]
    flop = 4 * added * (past + (added + 1) / 2) * heads * dim
    return rates(seconds, spread, tflops=flop / seconds / 1e12, kind=kind)


def vision(timing, dtype, v, windows):
    heads, dim, patches = v["heads"], v["headDim"], v["width"] * v["height"]
    each = v["window"] ** 2
    # Ragged windows at the edges have no form here: as many whole ones as there are patches for.
    batch, length = (patches // each, each) if windows else (1, patches)
    q, k, value = (torch.randn(max(1, batch), heads, length, dim, dtype=dtype) for _ in range(3))
    seconds, spread = timing.of(lambda i: F.scaled_dot_product_attention(q, k, value))
    return rates(seconds, spread, tflops=4 * max(1, batch) * length ** 2 * heads * dim / seconds / 1e12)


class Loop:
    """One stream after the other as StreamingVLM's reference does: a chunk is compaction with the kept keys turned to
    their new positions, the vision tower, a prefill on the kept rows, and a token at a time. The memory is at its full
    length from the start; what the tokens mean does not matter to the time."""

    def __init__(self, name, dtype, past, width, height):
        try:
            from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
            from stock import Stock
        except ImportError as e:
            raise Skipped(f"transformers is not installed here ({e})") from e
        tiny = name not in TEXT
        text = dict(TEXT["tiny" if tiny else name], rope_theta=1e6, max_position_embeddings=128000,
                    rope_scaling=dict(type="mrope", mrope_section=[4, 6, 6] if tiny else [16, 24, 24]))
        eye = dict(TINY_VISION if tiny else VISION, out_hidden_size=text["hidden_size"], patch_size=14, spatial_merge_size=2,
                   temporal_patch_size=2, window_size=112)
        config = Qwen2_5_VLConfig(text_config=text, vision_config=eye, tie_word_embeddings=text.get("tie_word_embeddings", False))
        torch.set_default_dtype(dtype)
        try:
            model = Qwen2_5_VLForConditionalGeneration(config)
        finally:
            torch.set_default_dtype(torch.float32)
        rows, columns = (2 * round(side / 28) for side in (height, width))
        self.patches = torch.randn(rows * columns, 3 * 2 * 14 * 14, dtype=dtype)
        self.vision_rows = rows * columns // 4
        self.net = Stock.of(model.to(dtype), (rows, columns))
        self.pad = text["vocab_size"] - 1
        self.past = past
        step = max(1, past // 2)
        for first in range(0, past, step):  # the memory that it begins with
            count = min(step, past - first)
            self.net.feed([1] * count, self._positions(first, count))

    @staticmethod
    def _positions(first, count):
        return (torch.arange(first, first + count)[None].expand(3, -1)).cpu().numpy()

    def chunk(self, tokens):
        net = self.net
        total = net.cache.get_seq_length()
        if total > self.past:  # the oldest rows go, the others move up
            net.keep(list(range(total - self.past, total)), self._positions(0, self.past))
        ids = [1] * 14 + [self.pad] * self.vision_rows + [1] * 4
        token = int(net.feed(ids, self._positions(self.past, len(ids)), net.vision(self.patches), self.pad).argmax())
        for i in range(tokens - 1):
            token = int(net.feed([token % self.pad], self._positions(self.past + len(ids) + i, 1)).argmax())


def loop(timing, dtype, name, past, load, tiny):
    turn = load["many"]
    made = Loop(name, dtype, past, turn["width"], turn["height"])
    made.chunk(turn["answer"])
    times = []
    for _ in range(1 if tiny else 20):
        timing.rest()
        begin = time.perf_counter()
        made.chunk(turn["answer"])
        timing.rest()
        times.append(time.perf_counter() - begin)
    median = statistics.median(times)
    return dict(chunksPerSecond=1 / median, millisPerChunk=median * 1e3, rows=past, visionRows=made.vision_rows,
                tokens=turn["answer"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--seconds-left", type=float, default=math.inf)
    parser.add_argument("--device", default="cuda")
    args = parser.parse_args()
    with open(os.path.join(args.out, "shapes.json")) as f:
        shapes = json.load(f)
    ledger = Ledger(args.out, args.seconds_left)
    tiny = shapes["name"] == "tiny"
    device = torch.device(args.device)
    dtype = torch.bfloat16
    torch.set_default_device(device)
    torch.manual_seed(1)
    timing = Timing(device, tiny)
    with torch.inference_mode():
        ledger.item("copy", lambda: dict(copy(timing, shapes["copyBytes"]), torch=torch.__version__))
        for p in shapes["gemm"]:
            ledger.item(p["item"], lambda p=p: product(timing, dtype, p["m"], p["n"], p["k"]))
        ledger.item(shapes["prefill"], lambda: prefill(timing, dtype, shapes["decoder"]))
        for s in shapes["sparse"]:
            ledger.item(s["item"], lambda s=s: prefill(timing, dtype, s))
        ledger.item(shapes["visionFull"], lambda: vision(timing, dtype, shapes["vision"], False))
        ledger.item(shapes["visionWindows"], lambda: vision(timing, dtype, shapes["vision"], True))
        for model in shapes["load"]["models"]:
            ledger.item(f"loop {model}",
                        lambda m=model: loop(timing, dtype, m, shapes["decoder"]["past"], shapes["load"], tiny))
    return 3 if ledger.over else 1 if ledger.failed else 0


if __name__ == "__main__":
    sys.exit(main())
