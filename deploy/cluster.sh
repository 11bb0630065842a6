#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A small cluster on this machine from the built jars: a Kafka broker, a JobManager and TaskManagers,
# each a process of its own. No Flink distribution is needed: its jars come from Maven.
#
#   deploy/cluster.sh start [--taskmanagers N]        session mode: jobs are submitted afterwards
#   deploy/cluster.sh start --gpus 0,1                a TaskManager for each GPU; also with --application
#   deploy/cluster.sh submit [--from F] [--key value …]   any key of docs/configuration.md
#   deploy/cluster.sh start [--taskmanagers N] --application [--from F] [--key value …]
#                                                     application mode: the cluster is for this job
#   deploy/cluster.sh status
#   deploy/cluster.sh rescale N [JOB]                 the running job to N subtasks
#   deploy/cluster.sh savepoint DIR [JOB]             the job goes on
#   deploy/cluster.sh stop-with-savepoint DIR [JOB]   nothing is said that the savepoint does not know
#   deploy/cluster.sh cancel [JOB]                    its checkpoints stay
#   deploy/cluster.sh add [GPU]                       one more TaskManager
#   deploy/cluster.sh kill NAME                       SIGKILL to broker, jobmanager, tm-1 …, as a fault would
#   deploy/cluster.sh restart NAME                    starts again what ended
#   deploy/cluster.sh flink ARGUMENTS                 Flink's own command line
#   deploy/cluster.sh stop                            all processes; checkpoints and topics stay
#
#   F is a savepoint, a checkpoint, or latest: the newest checkpoint of the job's group. JOB may be
#   left out when one job runs.
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
gpu_plugin=$home/operators/target/everwatch-gpu.jar
brokers=localhost:$broker_port
main=io.everwatch.job.topology.EverwatchJob
# There in application mode: on the first line what the job begins with, then an argument a line.
application=$dir/application
# A static initialiser of flink-datastream reflects on a class of java.util.
opens=--add-opens=java.base/java.util=ALL-UNNAMED
export FLINK_CONF_DIR=$dir/conf FLINK_PLUGINS_DIR=$dir/plugins FLINK_LIB_DIR=$dir/lib

say() { printf 'cluster: %s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

usage() { sed -n '/^# A small/,/^set -e/{/^#/s/^# \{0,1\}//p;}' "${BASH_SOURCE[0]}"; }

# --- processes ---

# Names of the processes that were started, in the order that leaves nobody waiting for another.
names() {
  local file
  for file in "$dir"/tm-*.pid "$dir/jobmanager.pid" "$dir/broker.pid"; do
    if [ -f "$file" ]; then basename "$file" .pid; fi
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
  rm -rf "$dir/tmp/$name" # what a killed one left
  mkdir -p "$dir/tmp/$name"
  "$@" >>"$dir/$name.log" 2>&1 </dev/null &
  echo $! >"$dir/$name.pid"
  # Until then its command line is that of this script, and it does not look alive.
  until alive "$name" || ! kill -0 $! 2>/dev/null; do sleep 0.05; done
  say "$name: process $!, log $dir/$name.log"
}

# Why process NAME ended, as its log has it: the innermost cause if there is one.
causes() {
  grep '^Caused by' "$dir/$1.log" | tail -n 1 >&2 || tail -n 20 "$dir/$1.log" >&2
}

# await WHAT NAME COMMAND…: until COMMAND succeeds; gives up after 60 s or when process NAME is gone.
await() {
  local what=$1 name=$2 deadline=$((SECONDS + 60))
  shift 2
  until "$@" >/dev/null 2>&1; do
    alive "$name" || { causes "$name"; fail "$name ended before $what; see $dir/$name.log"; }
    [ $SECONDS -lt $deadline ] || fail "$what did not happen within 60 s; see $dir/$name.log"
    sleep 0.3
  done
}

# Sets flink_java to the command of a Flink process NAME.
flink_java() {
  flink_java=("$java" "-Djava.io.tmpdir=$dir/tmp/$1" "-Dorg.bytedeco.javacpp.cachedir=$dir/javacpp"
    "-Deverwatch.cache.dir=$dir/cache")
  if [ "$1" != client ]; then
    flink_java+=("-Dlog4j2.configurationFile=file:${dir// /%20}/conf/log4j2.properties")
  fi
}

# The class path of JobManager and TaskManagers: in application mode the job is on it.
class_path() {
  local path="$dir/lib/*"
  if [ -f "$application" ]; then path+=:$job; fi
  printf '%s' "$path"
}

# What Flink's own scripts compute: JVM flags (line 1) and -D properties (line 2) for the sizes configured.
sizes() {
  "$java" -cp "$dir/lib/*" org.apache.flink.runtime.util.bash.BashJavaUtils "$1" --configDir "$dir/conf" \
    2>"$dir/sizes.log" | sed -n 's/^BASH_JAVA_UTILS_EXEC_RESULT://p' ||
    { tail -n 5 "$dir/sizes.log" >&2; fail "Flink could not compute its memory from $dir/conf/config.yaml"; }
}

launch_broker() {
  launch broker "$java" -Xmx256m -XX:+UseSerialGC -Djava.io.tmpdir="$dir/tmp/broker" \
    -jar "$all" broker --dir "$dir/kafka" --port "$broker_port"
}

# launch_jobmanager [SAVEPOINT]: of application mode, if given, its job begins with that.
launch_jobmanager() {
  local flags entry=org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint own=()
  if [ -f "$application" ]; then
    entry=org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint
    mapfile -t -s 1 own <"$application"
    own=(--job-classname "$main" ${1:+--fromSavepoint "$1"} "${own[@]}")
  fi
  flags=$(sizes GET_JM_RESOURCE_PARAMS)
  flink_java jobmanager
  # shellcheck disable=SC2046 # flags are words
  launch jobmanager "${flink_java[@]}" $(sed -n 1p <<<"$flags") $opens -cp "$(class_path)" $entry \
    --configDir "$dir/conf" $(sed -n 2p <<<"$flags") "${own[@]}"
}

# Also again: the GPU of TaskManager NAME is kept in NAME.gpu.
launch_taskmanager() {
  local flags=${tm_flags:-} own=()
  if [ -f "$dir/$1.gpu" ]; then own=(env "EVERWATCH_GPUS=$(cat "$dir/$1.gpu")"); fi
  if [ -z "$flags" ]; then flags=$(sizes GET_TM_RESOURCE_PARAMS); fi
  tm_flags=$flags # the same for all
  flink_java "$1"
  # shellcheck disable=SC2046
  launch "$1" ${own[@]+"${own[@]}"} "${flink_java[@]}" $(sed -n 1p <<<"$flags") $opens -cp "$(class_path)" \
    org.apache.flink.runtime.taskexecutor.TaskManagerRunner \
    --configDir "$dir/conf" $(sed -n 2p <<<"$flags") -D "taskmanager.resource-id=$1"
}

# --- what the JobManager says ---

# rest METHOD PATH [BODY]: the answer's body, without curl.
rest() {
  local body=${3:-}
  exec 3<>"/dev/tcp/localhost/$rest_port" || return 1
  printf '%s %s HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
    "$1" "$2" ${#body} "$body" >&3
  sed '1,/^\r*$/d' <&3
  exec 3>&-
}

# Whether N TaskManagers or more are registered.
registered() {
  local count
  count=$(rest GET /overview | sed -n 's/.*"taskmanagers":\([0-9]*\).*/\1/p')
  [ "${count:-0}" -ge "$1" ]
}

# Jobs that have not ended, an ID per line.
jobs_running() {
  rest GET /jobs | { grep -oE '"id":"[0-9a-f]+","status":"[A-Z]+"' || true; } |
    sed -nE '/FINISHED|FAILED"|CANCELED/!s/"id":"([0-9a-f]+)".*/\1/p'
}

# running [JOB]: whether it runs with all its subtasks; without an ID, any.
running() {
  local tasks
  tasks=$(rest GET /jobs/overview | grep -oE "\"jid\":\"${1:-[0-9a-f]*}\"[^{}]*\"state\":\"RUNNING\"[^{}]*\{[^{}]*\}") || return 1
  [ "$(sed -E 's/.*"running":([0-9]+).*/\1/' <<<"$tasks")" = "$(sed -E 's/.*"total":([0-9]+).*/\1/' <<<"$tasks")" ]
}

# What job ID failed of last, if it did: the innermost cause.
fault() {
  rest GET "/jobs/$1/exceptions" | sed 's/"concurrentExceptions".*//' |
    { grep -oE '("stacktrace":"|Caused by: )[^"\\]*' || true; } | tail -n 1 | sed -E 's/^("stacktrace":"|Caused by: )//'
}

# await_job [ID]: until it runs with all its subtasks, without an ID any; else says why it does not.
await_job() {
  local deadline=$((SECONDS + 60)) id=${1:-} why='' now
  until running "$id" 2>/dev/null; do
    alive jobmanager || { causes jobmanager; fail "jobmanager ended before the job's start; see $dir/jobmanager.log"; }
    id=${id:-$(jobs_running 2>/dev/null | sed -n 1p || true)}
    now=$(fault "$id" 2>/dev/null || true)
    if [ "$now" != "$why" ]; then
      why=$now
      say "job $id failed: $why"
    fi
    if [ -n "$why" ] && ! jobs_running | grep -q "$id"; then
      fail "job $id has ended; expected it to run; mend what it failed of, then submit it again"
    fi
    [ $SECONDS -lt $deadline ] || fail "job $id does not run yet after 60 s; it goes on trying; see: deploy/cluster.sh status, and $dir/jobmanager.log"
    sleep 0.3
  done
}

require_jobmanager() { alive jobmanager || fail "no JobManager runs; expected one; first: deploy/cluster.sh start"; }

# Sets job_id to JOB, or to the only one.
choose_job() {
  local ids=()
  require_jobmanager
  job_id=${1:-}
  [ -z "$job_id" ] || return 0
  mapfile -t ids < <(jobs_running)
  [ ${#ids[@]} -eq 1 ] || fail "${#ids[@]} jobs run (${ids[*]-}); expected one; name the one that is meant"
  job_id=${ids[0]}
}

# newest [--key value …]: the newest checkpoint of the group that the job's arguments name, if any.
newest() {
  local group=everwatch argument before='' found
  for argument in "$@"; do
    case $argument in --group=*) group=${argument#--group=} ;; esac
    if [ "$before" = --group ]; then group=$argument; fi
    before=$argument
  done
  # shellcheck disable=SC2012 # by time; names are numbers and job IDs
  found=$(ls -td "$dir/checkpoints/$group"/*/chk-*/_metadata 2>/dev/null | sed -n 1p) || true
  printf '%s' "${found%/_metadata}"
}

# resolve_from F [--key value …]: sets from to the path of a savepoint or checkpoint; none for none.
resolve_from() {
  from=$1
  shift
  case $from in
    '' | *:*) ;;
    latest)
      from=$(newest "$@")
      [ -n "$from" ] || fail "the group has no checkpoint below $dir/checkpoints; expected one of an earlier job; leave --from out, or name a savepoint"
      say "goes on from $from"
      ;;
    *)
      [ -f "$from/_metadata" ] || fail "$from is no savepoint; expected a directory with a file _metadata; name one that is complete"
      case $from in /*) ;; *) from=$PWD/$from ;; esac
      ;;
  esac
}

# --- what the user asks for ---

everwatch() {
  "$java" -XX:+UseSerialGC -Djava.io.tmpdir="$dir/tmp/client" \
    -Dorg.bytedeco.javacpp.cachedir="$dir/javacpp" -jar "$all" "$@"
}

flink_cli() {
  require_jobmanager
  flink_java client
  mkdir -p "$dir/tmp/client"
  # Its answers and errors go to the terminal anyhow; its log would stand in between.
  "${flink_java[@]}" -Dlog4j2.level=OFF $opens -cp "$dir/lib/*" org.apache.flink.client.cli.CliFrontend "$@"
}

# Flink's jars and the runtime, which must be loaded once per process and so is not in the job's jar.
prepare() {
  mkdir -p "$dir/conf" "$dir/tmp/client" "$dir/checkpoints" "$dir/javacpp"
  (umask 077 && mkdir -p "$dir/cache")
  rm -rf "${dir:?}/lib" "$dir/plugins" "$dir"/*.log "$dir"/*.gpu "$application"
  mkdir "$dir/lib"
  cp -r "$plugins" "$dir/plugins"
  ln -s "$flink"/*.jar "$runtime" "$dir/lib/"
  cp "$home/deploy/conf/log4j2.properties" "$dir/conf/"
  {
    cat "$home/deploy/conf/config.yaml" ${gpus:+"$home/deploy/conf/gpu.yaml"}
    printf 'jobmanager.rpc.port: %s\nrest.port: %s\nrest.bind-port: %s\n' "$rpc_port" "$rest_port" "$rest_port"
    printf 'execution.checkpointing.dir: file://%s\n' "$dir/checkpoints"
    printf 'metrics.reporter.prom.port: %s\n' "$metrics_ports"
  } >"$dir/conf/config.yaml"
  if [ -n "$gpus" ]; then
    mkdir "$dir/plugins/everwatch-gpu"
    cp "$gpu_plugin" "$dir/plugins/everwatch-gpu/"
  fi
}

start() {
  local name file taskmanagers=1 from='' mode=session number gpus='' gpu=()
  while [ $# -gt 0 ]; do
    case $1 in
      --taskmanagers) taskmanagers=${2:-} && shift ;;
      --gpus) gpus=${2:-none} && shift ;;
      --application) mode=application ;;
      --from) from=${2:-} && shift ;;
      *) break ;;
    esac
    shift
  done
  if [ -n "$gpus" ]; then
    [[ $gpus =~ ^[0-9]{1,3}(,[0-9]{1,3})*$ ]] || fail "--gpus is '$gpus'; expected their indexes, such as 0 or 0,1; nvidia-smi lists them"
    IFS=, read -ra gpu <<<"$gpus"
    taskmanagers=${#gpu[@]}
  fi
  [[ $taskmanagers =~ ^[1-9][0-9]?$ ]] || fail "--taskmanagers is '$taskmanagers'; expected 1 to 99"
  if [ $mode = session ] && [[ $# -gt 0 || -n $from ]]; then
    fail "start does not take ${1:---from} in session mode; expected it with submit, or behind --application"
  fi
  for file in "$all" "$job" "$runtime" "$gpu_plugin" "$flink" "$plugins"; do
    [ -e "$file" ] || fail "$file is missing; build it first: mvn package -DskipTests"
  done
  for name in $(names); do
    if alive "$name"; then fail "$name runs already (process $(cat "$dir/$name.pid")); stop first"; fi
    rm -f "$dir/$name.pid"
  done
  resolve_from "$from" "$@"
  prepare
  if [ $mode = application ]; then
    { echo "$from" && job_arguments "$@"; } >"$application"
  fi
  # A start that fails half-way leaves nothing running.
  trap 'if [ $? -ne 0 ]; then stop; fi' EXIT
  launch_broker
  if [ $mode = session ]; then launch_jobmanager; fi
  for ((number = 1; number <= taskmanagers; number++)); do
    if [ -n "$gpus" ]; then echo "${gpu[number - 1]}" >"$dir/tm-$number.gpu"; fi
    launch_taskmanager "tm-$number"
  done
  await "the broker's answer" broker everwatch topics --brokers "$brokers" --partitions 4
  # An application's job looks for its topics at once.
  if [ $mode = application ]; then launch_jobmanager "$from"; fi
  await "the registration of $taskmanagers TaskManagers" jobmanager registered "$taskmanagers"
  if [ $mode = application ]; then await_job; fi
  say "ready: broker $brokers, web interface http://localhost:$rest_port"
}

# job_arguments [--key value …]: with broker and checkpoints of this cluster, one per line.
job_arguments() {
  printf '%s\n' --brokers "$brokers"
  case " $* " in *' --checkpoint.dir'*) ;; *) printf '%s\n' --checkpoint.dir "$dir/checkpoints" ;; esac
  if [ $# -gt 0 ]; then printf '%s\n' "$@"; fi
}

submit() {
  local from='' said arguments=()
  if [ "${1:-}" = --from ]; then
    from=${2:-}
    shift $(($# > 1 ? 2 : 1))
  fi
  require_jobmanager
  if [ -f "$application" ]; then
    fail "the cluster runs one job, in application mode; expected session mode; stop, then start without --application"
  fi
  resolve_from "$from" "$@"
  mapfile -t arguments < <(job_arguments "$@")
  said=$(flink_cli run -d ${from:+-s "$from"} -c $main "$job" "${arguments[@]}") ||
    { printf '%s\n' "$said" >&2; fail "the job was not taken; see above"; }
  job_id=$(sed -n 's/.*submitted with JobID \([0-9a-f]*\).*/\1/p' <<<"$said")
  await_job "$job_id"
  say "job $job_id runs"
}

rescale() {
  local wanted=${1:-} body='' id name upper
  [[ $wanted =~ ^[1-9][0-9]{0,2}$ ]] || fail "the parallelism is '$wanted'; expected a number from 1 to 128"
  choose_job "${2:-}"
  while IFS=$'\t' read -r id name; do
    # Commands and dead letters are few: one subtask, whatever the others have.
    case $name in *commands* | *dead-letters*) upper=1 ;; *) upper=$wanted ;; esac
    body+="${body:+,}\"$id\":{\"parallelism\":{\"lowerBound\":1,\"upperBound\":$upper}}"
  done < <(rest GET "/jobs/$job_id" | grep -oE '"id":"[0-9a-f]{32}"[^{}]*"name":"[^"]*","maxParallelism"' |
    sed -E 's/"id":"([0-9a-f]+)".*"name":"([^"]*)".*/\1\t\2/')
  [ -n "$body" ] || fail "job $job_id is not known to this JobManager; see: deploy/cluster.sh status"
  rest PUT "/jobs/$job_id/resource-requirements" "{$body}" >/dev/null
  say "job $job_id goes to parallelism $wanted as soon as slots and a checkpoint allow"
}

# take_savepoint stop|savepoint DIR [JOB]
take_savepoint() {
  local how=$1 to=${2:-}
  [ -n "$to" ] || fail "no directory is given; expected one that outlives this machine's processes; deploy/cluster.sh $how DIR"
  case $to in *:* | /*) ;; *) to=$PWD/$to ;; esac
  choose_job "${3:-}"
  case $how in
    stop-with-savepoint) flink_cli stop --type native -p "$to" "$job_id" ;;
    savepoint) flink_cli savepoint --type native "$job_id" "$to" ;;
  esac || fail "no savepoint was made (see above); expected the job to run with all its subtasks; try again when it does: deploy/cluster.sh status"
}

cancel() {
  choose_job "${1:-}"
  flink_cli cancel "$job_id"
}

add() {
  local number=1
  require_jobmanager
  while [ -f "$dir/tm-$number.pid" ]; do number=$((number + 1)); done
  if [ -d "$dir/plugins/everwatch-gpu" ]; then
    [[ ${1:-} =~ ^[0-9]{1,3}$ ]] || fail "the GPU of the TaskManager is '${1:-}'; expected its index, for the cluster was started with --gpus; deploy/cluster.sh add 1"
    echo "$1" >"$dir/tm-$number.gpu"
  elif [ $# -gt 0 ]; then
    fail "add is given the GPU '$1', but the cluster has none; expected one that was started with --gpus"
  fi
  launch_taskmanager "tm-$number"
}

require_known() { [ -f "$dir/${1:-}.pid" ] || fail "there is no process '${1:-}'; expected one of: $(names | paste -sd ' ' -)"; }

kill_one() {
  require_known "$@"
  alive "$1" || fail "$1 does not run; expected it to; see: deploy/cluster.sh status"
  kill -9 "$(cat "$dir/$1.pid")"
  say "$1: killed"
}

restart() {
  local from='' own=()
  require_known "$@"
  if alive "$1"; then fail "$1 runs already (process $(cat "$dir/$1.pid")); expected it ended; kill it first"; fi
  case $1 in
    broker) launch_broker ;;
    tm-*) launch_taskmanager "$1" ;;
    jobmanager)
      if [ -f "$application" ]; then
        mapfile -t own <"$application"
        from=$(newest "${own[@]:1}")
        # Before its first checkpoint, begin as it began; an older one is of another job.
        [ "$from/_metadata" -nt "$application" ] || from=${own[0]}
        say "the job goes on from ${from:-its beginning}"
      else
        say "its jobs ended with it; each goes on with: deploy/cluster.sh submit --from latest …"
      fi
      launch_jobmanager "$from"
      ;;
  esac
}

status() {
  local name all_alive=0
  for name in $(names); do
    if alive "$name"; then
      say "$name: process $(cat "$dir/$name.pid")"
    else
      say "$name: not running"
      all_alive=1
    fi
  done
  if alive jobmanager; then
    rest GET /jobs/overview && echo
  elif [ -f "$dir/jobmanager.pid" ]; then
    all_alive=1 # an application's JobManager ends with its job
  else
    say "no cluster runs; first: deploy/cluster.sh start"
    all_alive=1
  fi
  return $all_alive
}

# Who does not end within 20 s is killed.
stop() {
  local name pid deadline
  for name in $(names); do
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

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
  start) start "$@" ;;
  submit) submit "$@" ;;
  status) status ;;
  rescale) rescale "$@" ;;
  savepoint | stop-with-savepoint) take_savepoint "$command" "$@" ;;
  cancel) cancel "$@" ;;
  add) add "$@" ;;
  kill) kill_one "$@" ;;
  restart) restart "$@" ;;
  flink) flink_cli "$@" ;;
  stop) stop ;;
  -h | --help | help) usage ;;
  *)
    fail "there is no command '$command'; expected one of start, submit, status, rescale, savepoint, stop-with-savepoint, cancel, add, kill, restart, flink, stop; see deploy/cluster.sh --help"
    ;;
esac
