// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;

/**
 * The keyed state of the operator. No value expires by time; all of a stream goes with its end.
 *
 * <p>State, of each stream:
 *
 * <ul>
 *   <li>{@code stream}: {@link StoredStream}. Written at each checkpoint after which something
 *       changed. Bound: some hundred bytes for each frame of the open chunks and of the allowed
 *       lateness.
 *   <li>{@code pending}: list of {@link Turn}. Written at each checkpoint that finds turns waiting,
 *       cleared at the next. Bound: some hundred bytes for each frame of the turns that a subtask
 *       lets wait.
 *   <li>{@code log}: running number → {@link LoggedRound}. Written with each answer, removed by the
 *       snapshot that contains it. Bound: the rounds of one snapshot interval.
 *   <li>{@code pictures}: number → encoded picture, see {@link StoredPictures}. Written once, with
 *       the checkpoint or the answer that first needs it; removed when nothing refers to it. Bound
 *       of each: the largest record ({@code limits.max-record-bytes}).
 *   <li>{@code memory}: {@link MemoryName}. Written when the stream begins (its settings), and when
 *       a snapshot of the memory is complete.
 *   <li>{@code pieces}: (snapshot number, piece) → up to 1 MiB. Bound: two snapshots, while the
 *       newer one is being written.
 * </ul>
 *
 * Every method sets the key that it is given, since any mail in between may have set another.
 */
final class StreamStore {
  static final String STREAM = "stream";
  static final String PENDING = "pending";
  static final String LOG = "log";
  static final String MEMORY = "memory";
  static final String PIECES = "pieces";
  static final String PICTURES = "pictures";

  private static final byte[] MISSING = new byte[0];
  private static final int PIECE_BITS = 20; // 1 TiB of memory in pieces of 1 MiB

  private final Consumer<StreamKey> setKey;
  private final ValueState<StoredStream> stream;
  private final ValueState<List<Turn>> pending;
  private final MapState<Long, LoggedRound> log;
  private final ValueState<MemoryName> memory;
  private final MapState<Long, byte[]> pieces;
  private final StoredPictures pictures;

  StreamStore(RuntimeContext context, Consumer<StreamKey> setKey) {
    this.setKey = setKey;
    stream = context.getState(new ValueStateDescriptor<>(STREAM, new StoredStreamSerializer()));
    pending = context.getState(new ValueStateDescriptor<>(PENDING, new TurnsSerializer()));
    log =
        context.getMapState(
            new MapStateDescriptor<>(LOG, LongSerializer.INSTANCE, new LoggedRound.Serializer()));
    memory = context.getState(new ValueStateDescriptor<>(MEMORY, new MemoryName.Serializer()));
    pieces =
        context.getMapState(
            new MapStateDescriptor<>(
                PIECES, LongSerializer.INSTANCE, BytePrimitiveArraySerializer.INSTANCE));
    pictures =
        new StoredPictures(
            context.getMapState(
                new MapStateDescriptor<>(
                    PICTURES, LongSerializer.INSTANCE, new PictureSerializer())));
  }

  Optional<StoredStream> stream(StreamKey key) throws Exception {
    setKey.accept(key);
    return Optional.ofNullable(stream.value());
  }

  List<Turn> pending(StreamKey key) throws Exception {
    setKey.accept(key);
    List<Turn> turns = pending.value();
    return turns == null ? List.of() : turns;
  }

  /** Stores what changes between answers. */
  void save(StreamState state) throws Exception {
    setKey.accept(state.key);
    pictures.keep(state, state.live());
    stream.update(state.stored());
    if (state.queue.isEmpty()) {
      pending.clear();
    } else {
      pending.update(state.turns());
    }
  }

  /** Leaves the pictures of a turn that waits to the state. */
  void park(StreamState state, Turn turn) throws Exception {
    setKey.accept(state.key);
    pictures.put(state, turn.frames());
    turn.frames().forEach(SourcedFrame::dropFromHeap);
  }

  /** Brings the pictures of frames into the heap. */
  void load(StreamKey key, Collection<SourcedFrame> frames) throws Exception {
    setKey.accept(key);
    pictures.load(frames);
  }

  /** Forgets the stream. */
  void clear(StreamKey key) {
    setKey.accept(key);
    stream.clear();
    pending.clear();
    log.clear();
    memory.clear();
    pieces.clear();
    pictures.clear();
  }

  /** Forgets memory and log; the stream itself stays. */
  void forget(StreamKey key) throws Exception {
    setKey.accept(key);
    for (LoggedRound round : log.values()) {
      pictures.remove(round.distinct());
    }
    log.clear();
    memory.clear();
    pieces.clear();
  }

  /** The stream's next round was answered. */
  void log(StreamState state, LoggedRound round) throws Exception {
    setKey.accept(state.key);
    pictures.put(state, round.distinct());
    state.stored.removeAll(round.distinct()); // they are the log's now
    log.put(state.nextLogged, round);
  }

  /** A round of the log; its pictures may be in state only. */
  LoggedRound round(StreamKey key, long number) throws Exception {
    setKey.accept(key);
    LoggedRound round = log.get(number);
    if (round == null) {
      throw new IllegalStateException(
          "stream %s: round %d of its log is missing in the restored state; restore an earlier"
                  .formatted(key.streamId(), number)
              + " checkpoint");
    }
    return round;
  }

  Optional<MemoryName> memory(StreamKey key) throws Exception {
    setKey.accept(key);
    return Optional.ofNullable(memory.value());
  }

  /** The pieces of a snapshot; an empty one stands for one that is missing. */
  List<byte[]> pieces(StreamKey key, MemoryName name) throws Exception {
    setKey.accept(key);
    List<byte[]> found = new ArrayList<>(name.pieces());
    for (int i = 0; i < name.pieces(); i++) {
      byte[] piece = pieces.get(pieceKey(name.number(), i));
      found.add(piece == null ? MISSING : piece);
    }
    return found;
  }

  void putPiece(StreamKey key, long snapshot, int index, byte[] piece) throws Exception {
    setKey.accept(key);
    pieces.put(pieceKey(snapshot, index), piece);
  }

  /** From here on this snapshot is the stream's memory; the older one goes, and what it covers. */
  void complete(StreamKey key, MemoryName name) throws Exception {
    setKey.accept(key);
    MemoryName old = memory.value();
    memory.update(name);
    if (old != null) {
      for (int i = 0; i < old.pieces(); i++) {
        pieces.remove(pieceKey(old.number(), i));
      }
    }
    for (long i = old == null ? 0 : old.nextLogged(); i < name.nextLogged(); i++) {
      LoggedRound round = log.get(i);
      if (round != null) {
        pictures.remove(round.distinct());
        log.remove(i);
      }
    }
  }

  /** Removes the beginning of a snapshot that was never finished. */
  void dropUnfinished(StreamKey key, long number) throws Exception {
    setKey.accept(key);
    for (int i = 0; pieces.contains(pieceKey(number, i)); i++) {
      pieces.remove(pieceKey(number, i));
    }
  }

  private static long pieceKey(long snapshot, int index) {
    return snapshot << PIECE_BITS | index;
  }
}
