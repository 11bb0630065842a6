#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A small cluster on this machine from the built jars: a Kafka broker, a JobManager and a TaskManager,
# each a process of its own. No Flink distribution is needed: its jars come from Maven.
#
#   deploy/cluster.sh start            broker with topics, JobManager, TaskManager
#   deploy/cluster.sh submit [--key value …]   the job; any key of docs/configuration.md
#   deploy/cluster.sh status
#   deploy/cluster.sh stop
#
#   EVERWATCH_CLUSTER_DIR   logs, state, process ids (default: job/target/cluster)
#   EVERWATCH_BROKER_PORT   9092        EVERWATCH_REST_PORT   8081
#   EVERWATCH_RPC_PORT      6123        JAVA_HOME             a Java from 17 on
#   EVERWATCH_METRICS_PORTS 9249-9259   Prometheus; each process takes the first free one (on all interfaces)
set -euo pipefail

home=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dir=${EVERWATCH_CLUSTER_DIR:-$home/job/target/cluster}
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
broker_port=${EVERWATCH_BROKER_PORT:-9092}
rest_port=${EVERWATCH_REST_PORT:-8081}
rpc_port=${EVERWATCH_RPC_PORT:-6123}
metrics_ports=${EVERWATCH_METRICS_PORTS:-9249-9259}
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
all=$home/job/target/everwatch-all.jar
job=$home/job/target/everwatch-job.jar
runtime=$home/operators/target/everwatch-runtime.jar
flink=$home/job/target/flink-lib
plugins=$home/job/target/flink-plugins
brokers=localhost:$broker_port
# A static initialiser of flink-datastream reflects on a class of java.util.
opens=--add-opens=java.base/java.util=ALL-UNNAMED

say() { printf 'cluster: %s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

require_jars() {
  local file
  for file in "$all" "$job" "$runtime" "$flink" "$plugins"; do
    [ -e "$file" ] || fail "$file is missing; build it first: mvn package -DskipTests"
  done
}

# Whether process NAME runs: after a restart of the machine its number may be somebody else's.
alive() {
  local pid
  [ -f "$dir/$1.pid" ] && pid=$(cat "$dir/$1.pid") && kill -0 "$pid" 2>/dev/null || return 1
  [ ! -r "/proc/$pid/cmdline" ] || tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "$dir"
}

# launch NAME COMMAND…: in the background, its output in NAME.log, its own temporary directory.
launch() {
  local name=$1
  shift
  mkdir -p "$dir/tmp/$name"
  "$@" >"$dir/$name.log" 2>&1 </dev/null &
  echo $! >"$dir/$name.pid"
  say "$name: process $!, log $dir/$name.log"
}

# await WHAT NAME COMMAND…: until COMMAND succeeds; gives up after 60 s or when process NAME is gone.
await() {
  local what=$1 name=$2 deadline=$((SECONDS + 60))
  shift 2
  until "$@" >/dev/null 2>&1; do
    alive "$name" || { tail -n 20 "$dir/$name.log" >&2; fail "$name ended before $what; see $dir/$name.log"; }
    [ $SECONDS -lt $deadline ] || fail "$what did not happen within 60 s; see $dir/$name.log"
    sleep 0.3
  done
}

# rest PATH: body of a GET on the JobManager, without curl.
rest() {
  exec 3<>"/dev/tcp/localhost/$rest_port" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$1" >&3
  sed '1,/^\r*$/d' <&3
  exec 3>&-
}

registered() { rest /overview 2>/dev/null | grep -q '"taskmanagers":[1-9]'; }

running() { rest /jobs/overview 2>/dev/null | grep -q '"state":"RUNNING"'; }

everwatch() {
  "$java" -XX:+UseSerialGC -Djava.io.tmpdir="$dir/tmp/client" \
    -Dorg.bytedeco.javacpp.cachedir="$dir/javacpp" -jar "$all" "$@"
}

# Flink's jars and the runtime, which must be loaded once per process and so is not in the job's jar.
prepare() {
  mkdir -p "$dir/conf" "$dir/tmp/client" "$dir/checkpoints" "$dir/javacpp"
  (umask 077 && mkdir -p "$dir/cache")
  rm -rf "$dir/lib" "$dir/plugins"
  mkdir "$dir/lib"
  cp -r "$plugins" "$dir/plugins"
  ln -s "$flink"/*.jar "$runtime" "$dir/lib/"
  cp "$home/deploy/conf/log4j2.properties" "$dir/conf/"
  {
    cat "$home/deploy/conf/config.yaml"
    printf 'jobmanager.rpc.port: %s\nrest.port: %s\nrest.bind-port: %s\n' "$rpc_port" "$rest_port" "$rest_port"
    printf 'execution.checkpointing.dir: file://%s\n' "$dir/checkpoints"
    printf 'metrics.reporter.prom.port: %s\n' "$metrics_ports"
  } >"$dir/conf/config.yaml"
}

# Sets flink_java to the command of a Flink process NAME.
flink_java() {
  flink_java=("$java" "-Djava.io.tmpdir=$dir/tmp/$1" "-Dorg.bytedeco.javacpp.cachedir=$dir/javacpp"
    "-Deverwatch.cache.dir=$dir/cache" "-Dlog4j2.configurationFile=file:${dir// /%20}/conf/log4j2.properties")
}

# What Flink's own scripts compute: JVM flags (line 1) and -D properties (line 2) for the sizes configured.
sizes() {
  "$java" -cp "$dir/lib/*" org.apache.flink.runtime.util.bash.BashJavaUtils "$1" --configDir "$dir/conf" \
    2>"$dir/sizes.log" | sed -n 's/^BASH_JAVA_UTILS_EXEC_RESULT://p' ||
    { tail -n 5 "$dir/sizes.log" >&2; fail "Flink could not compute its memory from $dir/conf/config.yaml"; }
}

start() {
  require_jars
  local name
  for name in broker jobmanager taskmanager; do
    if alive "$name"; then fail "$name runs already (process $(cat "$dir/$name.pid")); stop first"; fi
  done
  prepare
  # A start that fails half-way leaves nothing running.
  trap 'if [ $? -ne 0 ]; then stop; fi' EXIT
  export FLINK_CONF_DIR=$dir/conf FLINK_PLUGINS_DIR=$dir/plugins FLINK_LIB_DIR=$dir/lib
  launch broker "$java" -Xmx256m -XX:+UseSerialGC -Djava.io.tmpdir="$dir/tmp/broker" \
    -jar "$all" broker --dir "$dir/kafka" --port "$broker_port"
  local flags
  flags=$(sizes GET_JM_RESOURCE_PARAMS)
  flink_java jobmanager
  # shellcheck disable=SC2046 # flags are words
  launch jobmanager "${flink_java[@]}" $(sed -n 1p <<<"$flags") $opens -cp "$dir/lib/*" \
    org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint \
    --configDir "$dir/conf" $(sed -n 2p <<<"$flags")
  flags=$(sizes GET_TM_RESOURCE_PARAMS)
  flink_java taskmanager
  # shellcheck disable=SC2046
  launch taskmanager "${flink_java[@]}" $(sed -n 1p <<<"$flags") $opens -cp "$dir/lib/*" \
    org.apache.flink.runtime.taskexecutor.TaskManagerRunner \
    --configDir "$dir/conf" $(sed -n 2p <<<"$flags") -D taskmanager.resource-id=tm-1
  await "the broker's answer" broker everwatch topics --brokers "$brokers" --partitions 4
  await "the TaskManager's registration" taskmanager registered
  say "ready: broker $brokers, web interface http://localhost:$rest_port"
}

submit() {
  alive jobmanager || fail "no JobManager runs; start first"
  export FLINK_CONF_DIR=$dir/conf FLINK_PLUGINS_DIR=$dir/plugins FLINK_LIB_DIR=$dir/lib
  flink_java client
  mkdir -p "$dir/tmp/client"
  "${flink_java[@]}" $opens -cp "$dir/lib/*" org.apache.flink.client.cli.CliFrontend run -d \
    -c io.everwatch.job.topology.EverwatchJob "$job" --brokers "$brokers" "$@"
  await "the job's start" jobmanager running
  say "the job runs"
}

status() {
  local name all_alive=0
  for name in broker jobmanager taskmanager; do
    if alive "$name"; then
      say "$name: process $(cat "$dir/$name.pid")"
    else
      say "$name: not running"
      all_alive=1
    fi
  done
  if alive jobmanager; then rest /jobs/overview && echo; fi
  return $all_alive
}

# In the order that leaves nobody waiting for another; who does not end within 20 s is killed.
stop() {
  local name pid deadline
  for name in taskmanager jobmanager broker; do
    if alive "$name"; then
      pid=$(cat "$dir/$name.pid")
      kill "$pid"
      deadline=$((SECONDS + 20))
      while kill -0 "$pid" 2>/dev/null; do
        if [ $SECONDS -ge $deadline ]; then
          say "$name does not end; killing it"
          kill -9 "$pid" 2>/dev/null || true
        fi
        sleep 0.2
      done
      say "$name: stopped"
    fi
    rm -f "$dir/$name.pid"
  done
  rm -rf "$dir/tmp"
}

case ${1:-} in
  start) start ;;
  submit) shift && submit "$@" ;;
  status) status ;;
  stop) stop ;;
  *) fail "usage: deploy/cluster.sh start | submit [--key value …] | status | stop" ;;
esac
