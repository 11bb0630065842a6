#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Figures of the job on a cluster of processes (docs/benchmarks): broker, JobManager and TaskManagers
# on this machine, on free ports. Needs the built jars and test classes: mvn package -DskipTests
#
#   benchmarks/cluster.sh kills        [--kills 30] [--seed 1] …      kill -9, ledger
#   benchmarks/cluster.sh recovery     [--streams 8] [--kills 5] …    time from kill to text
#   benchmarks/cluster.sh checkpoints  [--streams 8] [--minutes 3] …  sizes and durations
#   benchmarks/cluster.sh long-run     [--streams 1] [--hours 24] …   does anything grow?
#   benchmarks/cluster.sh overload     [--streams 40] [--minutes 10]  more video than is understood
#   benchmarks/cluster.sh outage       [roads 6] [minutes 18] …       block, live, merge; no cluster
#
# Each prints what it writes and where; all options are in the Javadoc of its class.
set -euo pipefail

package=chaos
case ${1:-} in
  kills) program=KillCampaign ;;
  recovery) program=Recovery ;;
  checkpoints) program=CheckpointFigures ;;
  long-run) program=LongRun ;;
  overload) program=Overload ;;
  outage) package=offline program=OutageFigures ;;
  *) sed -n 's/^#   \(benchmarks.*\)/\1/p' "$0" >&2; exit 2 ;;
esac
shift
cd "$(dirname "${BASH_SOURCE[0]}")/../job"
for file in target/everwatch-all.jar target/everwatch-job.jar target/flink-lib target/test-classes; do
  [ -e "$file" ] || { echo "job/$file is missing; build it first: mvn package -DskipTests" >&2; exit 1; }
done
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" -Xmx512m -XX:+UseSerialGC \
  -cp target/everwatch-all.jar:target/test-classes "io.everwatch.job.$package.$program" "$@"
