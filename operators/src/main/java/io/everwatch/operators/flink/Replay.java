// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.RoundInput;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a stream runs again of its log next: one round, as it was, with all chunks that it took up
 * (docs/adr/0013); or, behind a memory that was rebuilt and has no rows, all rounds whose answers
 * are given, in one prefill (docs/adr/0012). Of these the newest ones show their pictures, as many
 * as the memory keeps; of the others only the words are left when the prefill is done, so their
 * pictures are not even loaded.
 *
 * @param rounds oldest first, at least one
 * @param asSaid whether they take the answers that they had
 * @param shown how many at the end show their pictures
 */
record Replay(List<LoggedRound> rounds, boolean asSaid, int shown) {
  Replay {
    rounds = List.copyOf(rounds);
  }

  static Replay next(StreamStore store, StreamState stream, int visualRounds) throws Exception {
    List<LoggedRound> rounds = new ArrayList<>();
    LoggedRound first = store.round(stream.key, stream.nextReplayed);
    rounds.add(first);
    boolean asSaid = stream.replaysAsSaid();
    if (stream.replaysOneByOne) {
      return new Replay(rounds, asSaid || first.joined(), 1);
    }
    if (!asSaid) {
      while (rounds.get(rounds.size() - 1).joined()) {
        rounds.add(store.round(stream.key, stream.nextReplayed + rounds.size()));
      }
      return new Replay(rounds, false, rounds.size());
    }
    if (first.hasWords()) {
      for (long next = stream.nextReplayed + 1; next < stream.saidBefore; next++) {
        LoggedRound round = store.round(stream.key, next);
        if (!round.hasWords()) {
          break;
        }
        rounds.add(round);
      }
    }
    return new Replay(rounds, asSaid, Math.min(rounds.size(), visualRounds));
  }

  /** What the engine gets. The pictures that are shown must be in the heap. */
  RoundInput input() {
    List<RoundInput> earlier = new ArrayList<>();
    int last = rounds.size() - 1;
    for (int i = 0; i < last; i++) {
      LoggedRound round = rounds.get(i);
      earlier.add(i < rounds.size() - shown ? round.inWords() : round.asSaid());
    }
    LoggedRound end = rounds.get(last);
    return (asSaid ? end.asSaid() : end.input()).after(earlier);
  }

  /** What commands had changed of the sampling of the last. */
  Map<String, String> sampling() {
    return rounds.get(rounds.size() - 1).sampling();
  }

  /** The pictures that are shown. */
  Set<SourcedFrame> pictures() {
    Set<SourcedFrame> pictures = StoredPictures.identities();
    rounds
        .subList(rounds.size() - shown, rounds.size())
        .forEach(round -> pictures.addAll(round.distinct()));
    return pictures;
  }
}
