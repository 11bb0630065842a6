// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.config;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceName;
import io.everwatch.operators.engine.EngineOptions;
import io.everwatch.operators.flink.OverloadMode;
import io.everwatch.operators.flink.StateRules.OtherModel;
import io.everwatch.operators.flink.UnderstandSettings.Overload;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Every key of the configuration, in the order of the reference ({@code docs/configuration.md}).
 */
public final class ConfigKeys {
  /** Settings of the model, checked against the model itself. */
  public static final String STREAMING_PREFIX = "streaming.";

  /** Properties of Kafka's clients. */
  public static final String KAFKA_PREFIX = "kafka.";

  private static final EngineOptions ENGINE = EngineOptions.of("everwatch-tiny");
  private static final List<ConfigKey<?>> ALL = new ArrayList<>();

  public static final ConfigKey<String> BROKERS =
      key(
          "brokers",
          "list",
          "",
          "Kafka brokers to begin with, host:port; required.",
          Parsers::brokers);
  public static final ConfigKey<String> FRAMES =
      key("topics.frames", "topic", "frames", "Topic of frames, read.", Parsers::topic);
  public static final ConfigKey<String> TEXT =
      key("topics.text", "topic", "text", "Topic of text events, written.", Parsers::topic);
  public static final ConfigKey<String> DEAD_LETTERS =
      key(
          "topics.dlq",
          "topic",
          "frames.dlq",
          "Topic of records that could not be used, written with the reason.",
          Parsers::topic);
  public static final ConfigKey<String> COMMANDS =
      key("topics.commands", "topic", "commands", "Topic of commands, read.", Parsers::topic);
  public static final ConfigKey<String> GROUP =
      key(
          "group",
          "text",
          "everwatch",
          "Consumer group, and prefix of the transaction ids; one per job and Kafka, without"
              + " '-text'.",
          Parsers::group);
  public static final ConfigKey<StartFrom> START =
      choice(
          "start",
          StartFrom.class,
          StartFrom.COMMITTED,
          "Where a job without a checkpoint begins; committed falls back to earliest.");
  public static final ConfigKey<Integer> PARALLELISM =
      key(
          "parallelism",
          "number",
          "2",
          "Subtasks of each operator; they share one engine per process.",
          Parsers.integer(1, 128));
  public static final ConfigKey<Optional<String>> SPREAD_REGISTRY =
      key(
          "spread.registry",
          "path or URI",
          "",
          "File with a line place,streamId per stream, for an even load over the subtasks; read"
              + " where the job is started. Streams that it does not name go by the hash of their"
              + " ID.",
          text -> text.isBlank() ? Optional.empty() : Optional.of(text.strip()));

  public static final ConfigKey<Duration> CHECKPOINT_INTERVAL =
      key(
          "checkpoint.interval",
          "duration",
          "10 s",
          "Time between checkpoints; committed text waits for the next one.",
          Parsers.durationOf(Duration.ofMillis(100), Duration.ofHours(1)));
  public static final ConfigKey<Optional<String>> CHECKPOINT_DIR =
      key(
          "checkpoint.dir",
          "path or URI",
          "",
          "Where checkpoints go, each group's in a folder of its own there; must outlive the"
              + " process. Without it, run uses ~/.local/state/everwatch/checkpoints, a cluster"
              + " what its own configuration says.",
          text -> text.isBlank() ? Optional.empty() : Optional.of(text.strip()));
  public static final ConfigKey<String> RESTORE =
      key(
          "restore",
          "text",
          "latest",
          "What run begins with: latest (the group's newest checkpoint below checkpoint.dir, if"
              + " any), none, or the path of a checkpoint. On a cluster: flink run -s.",
          Parsers::text);
  public static final ConfigKey<Boolean> PREFLIGHT =
      key(
          "preflight",
          "true or false",
          "true",
          "Whether broker, rights and checkpoint are looked at before the start; false where the"
              + " submitting machine does not reach what the cluster does.",
          Parsers::yesOrNo);
  public static final ConfigKey<Delivery> DELIVERY =
      choice(
          "delivery",
          Delivery.class,
          Delivery.EXACTLY_ONCE,
          "How text is written: in transactions, or at once.");
  public static final ConfigKey<StateBackendKind> STATE_BACKEND =
      choice(
          "state.backend",
          StateBackendKind.class,
          StateBackendKind.ROCKSDB,
          "Where Flink keeps state between checkpoints; hashmap for small jobs only.");
  public static final ConfigKey<Long> HASHMAP_STATE =
      key(
          "limits.hashmap-state",
          "size",
          "256 MiB",
          "Memories and logs of one subtask that may lie in the heap with state.backend hashmap;"
              + " beyond it the job stops, before the heap is full.",
          Parsers.sizeOf(1 << 20, 1L << 40));
  public static final ConfigKey<Duration> SNAPSHOT_INTERVAL =
      key(
          "snapshot.interval",
          "duration",
          "60 s",
          "A stream's rows are written at least this often, else its log grows; 0 = with every"
              + " checkpoint. Bounds the time of a recovery.",
          Parsers.durationOf(Duration.ZERO, Duration.ofHours(24)));
  public static final ConfigKey<Integer> SPACE_FACTOR =
      key(
          "state.space-factor",
          "number",
          "3",
          "RocksDB's files may grow to so many times the live rows before they are merged, which"
              + " uploads the live ones again: about 1 + 1/factor bytes per byte written. More:"
              + " less upload, more disk, larger checkpoints, longer restores.",
          Parsers.integer(1, 100));
  public static final ConfigKey<Duration> MAX_OUTAGE =
      key(
          "recovery.max-outage",
          "duration",
          "10 min",
          "Longest outage after which open transactions must still be there; Kafka's"
              + " transaction.timeout.ms follows from it. After a longer one their text is written"
              + " again.",
          Parsers.durationOf(Duration.ofSeconds(10), Duration.ofHours(24)));
  public static final ConfigKey<OtherModel> OTHER_MODEL =
      choice(
          "recovery.other-model",
          OtherModel.class,
          OtherModel.REBUILD,
          "State that another model made: rebuild each stream from its words and its log, a few at"
              + " a time, or refuse to start.");
  public static final ConfigKey<Boolean> STRICT_NUMERICS =
      key(
          "strict-numerics",
          "true or false",
          "false",
          "Refuse state that was made under another numerics identity (device, library, instruction"
              + " set, model), where texts may differ in a word. Else the first event of each"
              + " stream is marked.",
          Parsers::yesOrNo);
  public static final ConfigKey<String> MODEL =
      key(
          "model",
          "name or path",
          "everwatch-tiny",
          "A shipped model, or the folder of a Qwen2.5-VL checkpoint (on every TaskManager);"
              + " random:qwen2.5-vl-7b (3b, tiny) is a shape to be timed, whose text means"
              + " nothing.",
          Parsers::text);
  public static final ConfigKey<DeviceName> DEVICE =
      key(
          "device",
          "cpu, cuda, cuda:N or auto",
          ENGINE.device().toString(),
          "What the engine computes on: cuda:1 is the second GPU; auto is the GPU that a TaskManager"
              + " lists (in run and demo: that can be used), else the CPU; the log says which and why.",
          DeviceName::parse);
  public static final ConfigKey<Integer> THREADS =
      key(
          "threads",
          "number",
          "0",
          "Threads of the CPU back end; 0 = one per processor. No result depends on it.",
          Parsers.integer(0, 1024));
  public static final ConfigKey<Boolean> PLAIN_PRODUCTS =
      key(
          "engine.plain-products",
          "true or false",
          "false",
          "Compute in plain Java on the CPU back end: the same bits on every processor, about ten"
              + " times slower.",
          Parsers::yesOrNo);
  public static final ConfigKey<Long> KV_MEMORY =
      key(
          "engine.kv-memory",
          "size or auto",
          "auto",
          "Memory for cached rows and their working copies; decides how many streams fit. auto: on a"
              + " GPU what weights and step memory leave, less a reserve, so give each job its share"
              + " when several engines are to be on one GPU; on the CPU 256 MiB of the heap for the"
              + " rows alone, or half of the heap if that is less, which no other value may exceed.",
          Parsers.orAuto(Parsers.sizeOf(1 << 20, 1L << 44), 0L));
  public static final ConfigKey<Optional<DType>> DTYPE =
      key(
          "engine.dtype",
          "auto, f32 or bf16",
          "auto",
          "Type of weights, activations and cached rows. auto: bf16 on a GPU, f32 on the CPU, which"
              + " has no other. f32 on a GPU is for tests and slow.",
          Parsers.orAuto(Parsers::dtype, Optional.empty()));
  public static final ConfigKey<Optional<String>> TUNING_PROFILE =
      key(
          "engine.tuning-profile",
          "path or none",
          "none",
          "File that everwatch tune wrote for this kind of device (on every TaskManager): where"
              + " long prompts are cut, and where their attention is sparse. none: pieces of 2,048"
              + " rows, dense unless the stream's sparse_prefill says always. Another file is"
              + " another numerics identity.",
          text -> text.strip().equals("none") ? Optional.empty() : Optional.of(Parsers.text(text)));
  public static final ConfigKey<Integer> BATCH_ROUNDS =
      key(
          "engine.batch-rounds",
          "number",
          Integer.toString(ENGINE.batchRounds()),
          "Rounds that may share a step of the device; the next ones are chosen when these end. 0 ="
              + " 16 on the CPU, 64 on a GPU.",
          Parsers.integer(0, 4096));
  public static final ConfigKey<Integer> MAX_IN_FLIGHT =
      key(
          "engine.max-in-flight",
          "number",
          "64",
          "Chunks of one subtask that may wait or be under way; beyond it the source waits, or live"
              + " streams skip. At least two for each stream.",
          Parsers.integer(1, 4096));
  public static final ConfigKey<Long> MAX_IN_FLIGHT_BYTES =
      key(
          "engine.max-in-flight-bytes",
          "size",
          "256 MiB",
          "Bytes of encoded pictures of those chunks in the heap of one subtask; beyond it the"
              + " source waits, or live streams skip. Frames of open chunks are not counted.",
          Parsers.sizeOf(1 << 20, 1L << 40));
  public static final ConfigKey<Long> MAX_PARKED_BYTES =
      key(
          "engine.max-parked-bytes",
          "size",
          "256 MiB",
          "Bytes of chunks of one subtask that wait in state, because their stream comes with a"
              + " backlog and must not hold up the others; beyond it the source waits. 0 = it waits"
              + " at once.",
          Parsers.sizeOf(0, 1L << 40));
  public static final ConfigKey<Long> PICTURE_BYTES =
      key(
          "engine.picture-bytes",
          "size",
          "1 GiB",
          "Bytes of decoded and resized pictures that rounds of the engine may hold; others are"
              + " decoded later.",
          Parsers.sizeOf(1 << 20, 1L << 40));
  public static final ConfigKey<OverloadMode> OVERLOAD =
      choice(
          "overload",
          OverloadMode.class,
          OverloadMode.BLOCK,
          "When frames come faster than they are understood: block loses nothing and falls behind;"
              + " live skips the oldest chunks, each run of them told by a GAP event, and does not"
              + " make the source wait; merge loses nothing and catches up, several chunks that"
              + " are behind being looked at together and answered once. SET overload changes it"
              + " for a stream.");
  public static final ConfigKey<Duration> MAX_LAG =
      key(
          "overload.max-lag",
          "duration",
          "10 s",
          "In live, chunks are skipped so that text comes within this time of the chunk's last"
              + " frame at the broker. Kept when rounds take no longer than they did lately and the"
              + " engine does a chunk of each stream within it; else the newest chunk of a stream"
              + " is understood in its turn, at most this old, and its text comes one round later."
              + " In merge, chunks that are further behind are understood together."
              + " Needs LogAppendTime on the frames topic (everwatch topics sets it); else only the"
              + " wait inside the job counts.",
          Parsers.durationOf(Duration.ofMillis(100), Duration.ofHours(24)));
  public static final ConfigKey<Integer> MERGE_CHUNKS =
      key(
          "overload.merge-chunks",
          "number",
          Integer.toString(Overload.DEFAULT.mergeChunks()),
          "In merge, so many chunks at most make one round, and no more than visual_rounds and"
              + " text_rounds - 1 of the model; their pictures are decoded at once, see"
              + " engine.picture-bytes.",
          Parsers.integer(2, Overload.MOST_MERGED));
  public static final ConfigKey<Integer> MAX_STREAMS =
      key(
          "limits.streams",
          "number",
          "0",
          "Streams of one subtask; frames of a further one are dead-lettered until another ends."
              + " 0 = any number.",
          Parsers.integer(0, 1_000_000));
  public static final ConfigKey<Duration> STEP_TIMEOUT =
      key(
          "engine.step-timeout",
          "duration",
          Parsers.write(ENGINE.stepTimeout()),
          "After so long in one call a device counts as hung and its process ends with exit code"
              + " 71, so that Flink restores its streams elsewhere; 0 = never. Above the longest"
              + " prefill that there can be.",
          Parsers.durationOf(Duration.ZERO, Duration.ofHours(24)));
  public static final ConfigKey<Duration> DRAIN_TIMEOUT =
      key(
          "checkpoint.drain-timeout",
          "duration",
          "100 ms",
          "How long a barrier waits for the running step; what is left is stored.",
          Parsers.durationOf(Duration.ZERO, Duration.ofMinutes(1)));
  public static final ConfigKey<Duration> STALE_AFTER =
      key(
          "stale-after",
          "duration",
          "30 s",
          "A stream without records for so long gets an event STALE, once; 0 = never.",
          Parsers.durationOf(Duration.ZERO, Duration.ofHours(24)));
  public static final ConfigKey<Duration> FORGET_AFTER =
      key(
          "forget-after",
          "duration",
          "24 h",
          "A stream without records for so long ends, with an event ENDED, and leaves state; 0 ="
              + " never. What comes later begins a new life of it.",
          Parsers.durationOf(Duration.ZERO, Duration.ofDays(365)));
  public static final ConfigKey<Long> MAX_RECORD =
      key(
          "limits.max-record-bytes",
          "size",
          "8 MiB",
          "Larger frame records are dead-lettered without being read.",
          Parsers.sizeOf(1024, 256L << 20));

  private ConfigKeys() {}

  public static List<ConfigKey<?>> all() {
    return List.copyOf(ALL);
  }

  private static <T> ConfigKey<T> key(
      String name, String type, String text, String description, Function<String, T> parser) {
    ConfigKey<T> key = new ConfigKey<>(name, type, text, description, parser);
    ALL.add(key);
    return key;
  }

  private static <E extends Enum<E>> ConfigKey<E> choice(
      String name, Class<E> type, E value, String description) {
    return key(name, Parsers.names(type), Parsers.write(value), description, Parsers.oneOf(type));
  }
}
