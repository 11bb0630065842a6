#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles the CUDA kernels; what is newer than its sources is left alone.
#
#   build-kernels.sh emu [NAME...]        by g++ into target/emulation: libcuda.so.1 (the stand-in driver),
#                                         NAME.emu.so and NAME.check.so (the same with the race checker's hooks)
#   build-kernels.sh fatbin [NAME...]     by nvcc into target/classes/io/everwatch/kernels/cuda: NAME.fatbin
#
# NAME is a .cu file of src/main/cuda or src/test/cuda without its ending; without one, all are built.
# A missing compiler is reported and no error, since Java is built and tested without it; EW_REQUIRE_NVCC=true
# makes a missing nvcc one. CXX and NVCC name other compilers, EW_JOBS how many run at once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

say() { printf 'build-kernels: %s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

CXX=${CXX:-g++}
NVCC=${NVCC:-nvcc}
jobs=${EW_JOBS:-2}
emulation=target/emulation
objects=$emulation/objects
binaries=target/classes/io/everwatch/kernels/cuda
common=(-std=c++17 -O2 -g -march=x86-64-v3 -Wall -Wextra -fPIC -fvisibility=hidden)
# Type punning through pointers is common in kernels: without -fno-strict-aliasing g++ drops such loads.
kernel=(-fno-strict-aliasing -ffp-contract=fast -Wno-unknown-pragmas -Isrc/emu -Isrc/main/cuda)

# stale OUT DEPFILE: whether OUT is missing or older than this script or a file that the compiler listed.
stale() {
  [ -f "$1" ] && [ -f "$2" ] && [ "$1" -nt build-kernels.sh ] || return 0
  local source
  for source in $(sed -e 's/^[^:]*://' -e 's/\\$//' "$2"); do
    [ -f "$source" ] && [ ! "$source" -nt "$1" ] || return 0
  done
  return 1
}

# Runs a command beside others, at most $jobs at once; finish waits for all of them.
failed=false
background() {
  while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n || failed=true; done
  "$@" &
}
finish() {
  while [ -n "$(jobs -p)" ]; do wait -n || failed=true; done
  [ $failed = false ] || fail "a compiler failed; its messages stand above"
}

# Outputs appear under their names when they are whole: a test that runs meanwhile keeps the old ones.
driver_object() { # SOURCE OBJECT
  "$CXX" "${common[@]}" -ftls-model=initial-exec -MMD -MF "$2.d" -c "$1" -o "$2.new" && mv "$2.new" "$2"
}

driver() {
  local source object linked=$emulation/libcuda.so.1 all=() link=false
  for source in src/emu/*.cpp; do
    object=$objects/$(basename "$source" .cpp).o
    all+=("$object")
    if stale "$object" "$object.d"; then
      link=true
      background driver_object "$source" "$object"
    fi
  done
  finish
  [ -f "$linked" ] && [ $link = false ] && return
  "$CXX" -shared -o "$linked.new" -Wl,-soname,libcuda.so.1 "${all[@]}" -ldl -lpthread
  mv "$linked.new" "$linked"
}

emulated() { # SOURCE OUT [FLAG]: libtsan is not linked, libcuda.so.1 has its hooks
  "$CXX" "${common[@]}" "${kernel[@]}" ${3+"$3"} -MMD -MF "$2.d" -x c++ -c "$1" -o "$2.o" &&
    "$CXX" -shared -o "$2.new" "$2.o" -Wl,-z,defs -L"$emulation" -l:libcuda.so.1 && rm "$2.o" && mv "$2.new" "$2"
}

# A register spill is an error as every warning, unless the source explains it in a line "// Spills: …".
fat_binary() { # SOURCE OUT
  local targets=(-gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=sm_90
    -gencode arch=compute_80,code=compute_80) spills=(-Xptxas -warn-spills)
  case $1 in *_sm90a.cu) targets=(-gencode arch=compute_90a,code=sm_90a) ;; esac
  if grep -q '^// Spills: ' "$1"; then spills=(); fi
  "$NVCC" -std=c++17 -O3 -fatbin -Isrc/main/cuda -Werror all-warnings "${spills[@]}" "${targets[@]}" \
    -MD -MF "target/fatbin/$(basename "$2").d" -o "$2.new" "$1" && mv "$2.new" "$2"
}

# Paths of the sources named, or of all below the folders given first.
sources() { # FOLDER... -- [NAME...]
  local folders=() name folder found
  while [ "$1" != -- ]; do
    folders+=("$1")
    shift
  done
  shift
  if [ $# -eq 0 ]; then
    for folder in "${folders[@]}"; do find "$folder" -name '*.cu' | sort; done
    return
  fi
  for name in "$@"; do
    found=
    for folder in "${folders[@]}"; do
      [ ! -f "$folder/$name.cu" ] || found=$folder/$name.cu
    done
    [ -n "$found" ] || fail "no $name.cu in ${folders[*]}"
    printf '%s\n' "$found"
  done
}

# One build at a time in this folder.
locked() {
  mkdir -p "$1"
  exec 9>"$1/.lock"
  if command -v flock >/dev/null; then flock 9; fi
}

build_emulation() {
  if ! command -v "$CXX" >/dev/null; then
    say "no $CXX: kernels are not compiled for the emulation, and the tests that need it are skipped (Debian: g++)"
    return
  fi
  if [ "$(uname -sm)" != 'Linux x86_64' ]; then
    say "the emulation runs on Linux x86-64 only: the tests that need it are skipped"
    return
  fi
  local list source name
  list=$(sources src/main/cuda src/test/cuda -- "$@")
  locked "$emulation"
  mkdir -p "$objects"
  driver
  for source in $list; do
    name=$emulation/$(basename "$source" .cu)
    if stale "$name.emu.so" "$name.emu.so.d"; then background emulated "$source" "$name.emu.so"; fi
    if stale "$name.check.so" "$name.check.so.d"; then
      background emulated "$source" "$name.check.so" -fsanitize=thread
    fi
  done
  finish
}

build_fat_binaries() {
  if ! command -v "$NVCC" >/dev/null; then
    [ "${EW_REQUIRE_NVCC:-}" != true ] || fail "no $NVCC, but fat binaries are required; install CUDA's compiler, release 13.0"
    say "no $NVCC: the jar gets no fat binaries and cannot run on a GPU"
    return
  fi
  local list source name
  list=$(sources src/main/cuda -- "$@")
  locked target/fatbin
  mkdir -p "$binaries"
  for source in $list; do
    name=$(basename "$source" .cu).fatbin
    if stale "$binaries/$name" "target/fatbin/$name.d"; then background fat_binary "$source" "$binaries/$name"; fi
  done
  finish
}

what=${1:-}
[ $# -eq 0 ] || shift
case $what in
  emu) build_emulation "$@" ;;
  fatbin) build_fat_binaries "$@" ;;
  *) fail "expected emu or fatbin, but got '$what'" ;;
esac
