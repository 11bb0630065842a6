# SPDX-License-Identifier: Apache-2.0
"""Chunks per second of PyTorch on the frames and settings of `everwatch bench`: one stream, float32, greedy.

    python compare.py --model DIR --frames DIR --instruction TEXT [--threads N] [--seconds T] [--transcript FILE]

Prints one JSON object per peer. Before it is timed, each peer says the first pass over the frames; with --transcript
(`everwatch caption --format json` on the same frames) every sentence must be the same, or it ends with status 1.
"""
import argparse
import json
import sys
import time

import torch

import frames
from lean import Lean
from memory import Memory, Prompts, load_settings
from stock import Stock


class Stream:
    def __init__(self, net, prompts, settings, instruction):
        self.net, self.prompts = net, prompts
        self.memory = Memory(prompts, settings["visual_rounds"], settings["text_sink"], settings["text_window"])
        self.max_new = settings["max_new_tokens"]
        m = self.memory
        m.append(prompts.head, m.HEAD)
        m.append(prompts.encode(instruction), m.PREVIOUS)
        m.append(prompts.close, m.CLOSE)
        self.fed = 0
        self.tokens = 0

    def _feed(self, vision=None):
        m = self.memory
        logits = self.net.feed(m.ids[self.fed:], m.positions(self.fed), vision, self.prompts.pad)
        self.fed = len(m.ids)
        return int(logits.argmax())

    def second(self, pair):
        m, p = self.memory, self.prompts
        if m.round > 0:
            pending = len(m.ids) - self.fed                    # the closing of the last answer has no rows yet
            tail = m.ids[self.fed:], m.role[self.fed:], m.round_of[self.fed:]
            del m.ids[self.fed:], m.role[self.fed:], m.round_of[self.fed:]
            keep = m.compact()
            if keep is not None:
                self.net.keep(keep, m.positions())
            self.fed = len(m.ids)
            m.ids += tail[0]
            m.role += tail[1]
            m.round_of += tail[2]
            assert len(m.ids) - self.fed == pending
        m.append(p.turn(m.round), m.TURN)
        m.append(p.assistant, m.ANSWER)
        token = self._feed(self.net.vision(frames.patches(pair)))
        said = []
        while token != p.end and len(said) < self.max_new:
            said.append(token)
            m.append([token], m.ANSWER if token == p.pause else m.WORD)
            token = self._feed()
        self.tokens += len(said) + 1
        m.append(p.close, m.ANSWER)
        m.round += 1
        return p.decode(said)


def measure(net, prompts, settings, instruction, files, warm_up, seconds):
    stream = Stream(net, prompts, settings, instruction)
    pairs = [files[i:i + 2] for i in range(0, len(files) - 1, 2)]
    said = []
    for i in range(max(warm_up, len(pairs))):
        said.append(stream.second(pairs[i % len(pairs)]))
    chunks, tokens, start, cpu = 0, stream.tokens, time.perf_counter(), time.process_time()
    while time.perf_counter() - start < seconds:
        stream.second(pairs[(len(said) + chunks) % len(pairs)])
        chunks += 1
    took, cpu = time.perf_counter() - start, time.process_time() - cpu
    return said[:len(pairs)], dict(
        peer=net.name, threads=torch.get_num_threads(), chunks=chunks, seconds=round(took, 3),
        chunksPerSecond=round(chunks / took, 3), cpuMsPerChunk=round(cpu * 1e3 / chunks, 3),
        tokensPerChunk=round((stream.tokens - tokens) / chunks, 3))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--frames", required=True)
    parser.add_argument("--instruction", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--warm-up", type=int, default=60)
    parser.add_argument("--peers", default="lean,stock")
    parser.add_argument("--transcript")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    prompts, settings, files = Prompts(args.model), load_settings(args.model), frames.read(args.frames)
    expected = None
    if args.transcript:
        with open(args.transcript) as f:
            expected = [json.loads(line)["text"] for line in f]
    with torch.inference_mode():
        for peer in args.peers.split(","):
            net = {"lean": Lean, "stock": Stock}[peer](args.model)
            said, record = measure(net, prompts, settings, args.instruction, files, args.warm_up, args.seconds)
            if expected is not None:
                wrong = [i for i, (a, b) in enumerate(zip(said, expected)) if a != b]
                if wrong or len(said) != len(expected):
                    i = wrong[0] if wrong else min(len(said), len(expected)) - 1
                    sys.exit(f"{net.name}: {len(wrong)} of {len(expected)} seconds differ; second {i}: "
                             f"{said[i]!r}, everwatch {expected[i]!r}")
                record["sameSentences"] = len(said)
            print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
