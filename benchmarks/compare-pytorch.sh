#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everwatch's CPU speed beside PyTorch's in one run: one stream, float32, the same frames, settings and threads, the peers in
# turn so that a busy machine disturbs all alike. First every peer must say the same 90 sentences as Everwatch.
#
#   benchmarks/compare-pytorch.sh [THREADS [REPEATS [SECONDS]]]
#
#   PYTHON   an interpreter with benchmarks/pytorch/requirements.txt installed (default: python3)
set -euo pipefail
home=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
threads=${1:-1} repeats=${2:-3} seconds=${3:-10}
python=${PYTHON:-python3}
model=$home/operators/src/main/resources/io/everwatch/models/everwatch-tiny
frames=$home/operators/src/test/golden/road/frames
told=' Watch the road and count the buses.'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1 TRANSFORMERS_VERBOSITY=error HF_HUB_DISABLE_PROGRESS_BARS=1

peer() { # NAME [FURTHER OPTIONS]
  "$python" "$home/benchmarks/pytorch/compare.py" --model "$model" --frames "$frames" --instruction "$told" \
    --threads "$threads" --seconds "$seconds" --peers "$@" 2>"$work/err" || { cat "$work/err" >&2; exit 1; }
}

"$home/everwatch" caption "$frames" --instruction "$told" --threads "$threads" --format json 2>/dev/null >"$work/said"
for ((i = 0; i < repeats; i++)); do
  for name in lean stock; do peer "$name" --transcript "$work/said" | tee -a "$work/figures"; done
  "$home/everwatch" bench --input "$frames" --instruction "$told" --threads "$threads" --seconds "$seconds" --json \
    2>/dev/null | tee -a "$work/figures"
done

"$python" - "$work/figures" <<'EOF'
import json, statistics, sys

runs = {}
for line in open(sys.argv[1]):
    record = json.loads(line)
    runs.setdefault(record.get("peer", "everwatch"), []).append(record)
middle = lambda name, key: statistics.median(r[key] for r in runs[name])
for name in runs:
    print(f"{name:28s} {middle(name, 'chunksPerSecond'):8.1f} chunks/s  {middle(name, 'cpuMsPerChunk'):7.2f} CPU ms per chunk")
peers = [name for name in runs if name != "everwatch"]
fastest = max(peers, key=lambda name: middle(name, "chunksPerSecond"))
print(f"everwatch / {fastest}: {middle('everwatch', 'chunksPerSecond') / middle(fastest, 'chunksPerSecond'):.2f} times the chunks"
      f" per second, {middle(fastest, 'cpuMsPerChunk') / middle('everwatch', 'cpuMsPerChunk'):.2f} times per CPU second")
EOF
