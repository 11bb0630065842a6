#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Packs what kernels/gpu-check needs on a machine that has a GPU, but neither JDK nor network nor this
# checkout: a Java runtime, the jars with the kernels' binaries and their tests, golden cases, the peer in
# Python. Several archives, each small enough to be carried alone; unpack all into one folder, then ./gpu-check
#
#   gpu-bundle.sh [--out DIR] [--emulation] [--without-fat-binaries]
#
#   DIR   default kernels/target/gpu-bundle:
#     everwatch-gpu-1-runtime.tar.xz   all parts but job
#     everwatch-gpu-2-flink.tar.xz     for the part job, with the next one
#     everwatch-gpu-3-broker.tar.xz    with the CPU's library, for the comparison
#     everwatch-gpu-emulation.tar.xz   with --emulation: the stand-in driver, to try the bundle without a GPU
#
# Needs a build (mvn package -DskipTests), a JDK 17 with jlink, xz, and nvcc for the fat binaries. The same
# build gives the same bytes.
set -euo pipefail

here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
out=$here/target/gpu-bundle emulation=false fat_binaries=true
limit=$((60 << 20))
date=2026-01-01T00:00:00Z
# Found by running it: without java.rmi and java.management.rmi a job hangs and says nothing.
modules=java.base,java.desktop,java.logging,java.management,java.management.rmi,java.naming,java.rmi,java.security.jgss
modules+=,java.security.sasl,java.sql,java.xml,jdk.crypto.ec,jdk.management,jdk.unsupported,jdk.zipfs

say() { printf 'gpu-bundle: %s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

while [ $# -gt 0 ]; do
  case $1 in
    --out) [ $# -ge 2 ] || fail "--out has no value"; out=$2 && shift ;;
    --emulation) emulation=true ;;
    --without-fat-binaries) fat_binaries=false ;;
    -h | --help) sed -n '/^# Packs/,/^set -e/{/^#/s/^# \{0,1\}//p;}' "${BASH_SOURCE[0]}" && exit ;;
    *) fail "there is no option '$1'; see gpu-bundle.sh --help" ;;
  esac
  shift
done

jdk=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v jlink || echo /none/bin/jlink)")")")}
[ -x "$jdk/bin/jlink" ] || fail "no jlink in $jdk; expected a JDK 17; install one (Debian: openjdk-17-jdk-headless) or set JAVA_HOME"
all=$root/job/target/everwatch-all.jar
for file in "$all" "$here/target/test-classes/io" "$root/benchmarks/target/classes/io" "$root/benchmarks/target/gpu-check-lib"; do
  [ -e "$file" ] || fail "$file is missing; expected a build; first: mvn package -DskipTests"
done
if [ $fat_binaries = true ]; then EW_REQUIRE_NVCC=true "$here/build-kernels.sh" fatbin; fi
if [ $emulation = true ]; then "$here/build-kernels.sh" emu; fi

mkdir -p "$out"
out=$(cd "$out" && pwd)
rm -f "$out"/everwatch-gpu-*.tar.xz
work=$(mktemp -d "$out/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
bundle=$work/bundle
mkdir -p "$bundle/lib"

# jar FILE FOLDER: stored, for xz sees more than the jar's own compression; sorted, without the time of day.
jar() {
  (cd "$2" && find . -type f | LC_ALL=C sort | sed 's|^\./||' >"$work/list" &&
    "$jdk/bin/jar" --create --no-compress --no-manifest --date="$date" --file "$1" @"$work/list")
}

# move FROM TO PATH…: also what stands for newer Javas.
move() {
  local from=$1 to=$2 path found
  shift 2
  for path in "$@"; do
    for found in "$from"/$path "$from"/META-INF/versions/*/$path; do
      [ -e "$found" ] || continue
      mkdir -p "$to/$(dirname "${found#"$from"/}")"
      mv "$found" "$to/${found#"$from"/}"
    done
  done
  mkdir -p "$to/META-INF"
  cp "$from/META-INF/MANIFEST.MF" "$to/META-INF/"
}

unpack() { # JAR FOLDER
  mkdir -p "$2"
  (cd "$2" && "$jdk/bin/jar" --extract --file "$1")
}

say "jars"
unpack "$all" "$work/all"
rm -rf "$work/all/org/bytedeco/ffmpeg" "$work/all/web" # no camera's video, no web interface
unpack "$work/all/flink-rpc-akka.jar" "$work/akka"
jar "$work/all/flink-rpc-akka.jar" "$work/akka"
move "$work/all" "$work/flink" org/apache/flink flink-rpc-akka.jar org/rocksdb 'librocksdbjni*'
move "$work/all" "$work/broker" kafka org/apache/kafka scala com/github/benmanes
move "$work/all" "$work/cpu" org/bytedeco/dnnl # 94 MB, and no other part computes on the CPU
cp -r "$root/benchmarks/target/classes/io" "$work/all/"
if [ $fat_binaries = true ]; then
  cp "$here"/target/classes/io/everwatch/kernels/cuda/*.fatbin "$work/all/io/everwatch/kernels/cuda/"
fi
# A folder: in a jar of files alone, packages are not found by name.
mkdir -p "$bundle/tests"
cp -r "$here/target/test-classes/io" "$root/operators/target/test-classes/io" "$bundle/tests/"
jar "$bundle/lib/everwatch.jar" "$work/all"
jar "$bundle/lib/flink.jar" "$work/flink"
jar "$bundle/lib/broker.jar" "$work/broker"
jar "$bundle/lib/cpu.jar" "$work/cpu"
cp "$root"/benchmarks/target/gpu-check-lib/*.jar "$bundle/lib/"

say "Java runtime"
"$jdk/bin/jlink" --add-modules $modules --strip-java-debug-attributes --no-man-pages --no-header-files --compress=0 \
  --output "$bundle/jre"
rm -rf "$bundle/jre/legal"
if command -v strip >/dev/null; then find "$bundle/jre" -name '*.so' -exec strip --strip-unneeded {} +; fi
# A distribution's JDK takes these from the system, which need not have them there.
for library in libjavajpeg liblcms libzip libjli libjvm; do
  for file in "$bundle/jre/lib/$library.so" "$bundle/jre/lib/server/$library.so"; do
    [ ! -f "$file" ] || ldd "$file" | sed -n 's/^\s*\(lib\(jpeg\|lcms2\|z\)\.so[^ ]*\) => \(\/[^ ]*\) .*/\1 \3/p'
  done
done | sort -u | while read -r name path; do cp -L "$path" "$bundle/jre/lib/$name"; done

cp "$here/gpu-check" "$bundle/"
# Where the tests look for them, and where the golden cases are looked for.
mkdir -p "$bundle/operators/src/test/golden"
cp -r "$root"/operators/src/test/golden/{qwen2_5_vl,flexprefill} "$bundle/operators/src/test/golden/"
ln -s operators/src/test/golden/qwen2_5_vl "$bundle/golden"
ln -s operators/src/test/golden/flexprefill "$bundle/flexprefill"
mkdir "$bundle/pytorch"
cp "$root"/benchmarks/pytorch/*.py "$bundle/pytorch/"
git -C "$root" describe --always --dirty 2>/dev/null >"$bundle/commit" || echo unknown >"$bundle/commit"
if [ $emulation = true ]; then
  mkdir "$bundle/emulation"
  cp "$here"/target/emulation/libcuda.so.1 "$here"/target/emulation/*.so "$bundle/emulation/"
fi

too_large=()
pack() { # NAME PATH…
  local file=$out/everwatch-gpu-$1.tar.xz size
  shift
  tar -C "$bundle" --sort=name --mtime="$date" --owner=0 --group=0 --numeric-owner --mode=u+w,go=u-w -c "$@" | xz -6 -T1 >"$file"
  size=$(stat -c %s "$file")
  printf '%6.1f MiB  %s\n' "$(awk "BEGIN{print $size/1048576}")" "$file"
  if [ "$size" -ge $limit ]; then too_large+=("$(basename "$file")"); fi
}

say "archives"
cd "$bundle"
runtime=()
for file in * lib/*; do
  case $file in lib | lib/flink.jar | lib/broker.jar | lib/cpu.jar | emulation) ;; *) runtime+=("$file") ;; esac
done
pack 1-runtime "${runtime[@]}"
pack 2-flink lib/flink.jar
pack 3-broker lib/broker.jar lib/cpu.jar
if [ $emulation = true ]; then pack emulation emulation; fi
[ ${#too_large[@]} -eq 0 ] || fail "too large: ${too_large[*]}; expected less than $((limit >> 20)) MiB each; take something out"
