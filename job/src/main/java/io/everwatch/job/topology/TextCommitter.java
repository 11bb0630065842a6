// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.kafka.common.errors.InvalidPidMappingException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connector's committer, and what follows when the broker says that a transaction can no longer
 * be committed.
 *
 * <p>While the job runs, that fails it. When it is restored, it is no failure: the transaction may
 * have been committed before the crash and its id used again, or it was aborted in the outage; the
 * operator looks at the topic and writes again what is missing. What an earlier run left open under
 * the same id is aborted here, because the writer spares ids that its state names as about to be
 * committed, and open it would hide all that is committed behind it from readers. Transactions of
 * later checkpoints are then aborted instead of committed: their text comes after that which is
 * written again.
 */
final class TextCommitter implements Committer<KafkaCommittable> {
  private static final Logger LOG = LoggerFactory.getLogger(TextCommitter.class);

  /** Ends transactions. */
  interface Aborter {
    /** Aborts what is open under these transactional ids; nothing where nothing is. */
    void abort(Set<String> ids) throws IOException, InterruptedException;
  }

  private final Committer<KafkaCommittable> committer;
  private final Aborter leftOpen;

  /** Restored transactions that were not committed, of which something may be open. */
  private final Set<String> passed = new LinkedHashSet<>();

  /** One of an earlier checkpoint was not committed. */
  private boolean behind;

  TextCommitter(Committer<KafkaCommittable> committer, Aborter leftOpen) {
    this.committer = committer;
    this.leftOpen = leftOpen;
  }

  /** Flink gives one checkpoint's requests at a time, the oldest first. */
  @Override
  public void commit(Collection<CommitRequest<KafkaCommittable>> requests)
      throws IOException, InterruptedException {
    List<CommitRequest<KafkaCommittable>> watched = new ArrayList<>();
    for (CommitRequest<KafkaCommittable> request : requests) {
      if (behind && restored(request)) {
        pass(request, new IOException("a transaction before it could not be committed"));
      } else {
        watched.add(new Watched(request));
      }
    }
    committer.commit(watched);
    if (!passed.isEmpty()) {
      LOG.info(
          "{} are not committed; what is open under these ids is aborted, and text that is missing"
              + " on the topic is written again",
          passed);
      leftOpen.abort(passed);
      passed.clear();
      behind = true;
    }
  }

  /** Only a committable that comes from the writer beside it brings the producer along. */
  private static boolean restored(CommitRequest<KafkaCommittable> request) {
    return request.getCommittable().getProducer().isEmpty();
  }

  private void pass(CommitRequest<KafkaCommittable> request, Throwable cause) {
    passed.add(request.getCommittable().getTransactionalId());
    request.signalFailedWithKnownReason(cause);
  }

  @Override
  public void close() throws Exception {
    committer.close();
  }

  /** A request whose failures are told apart. */
  private final class Watched implements CommitRequest<KafkaCommittable> {
    private final CommitRequest<KafkaCommittable> request;

    private Watched(CommitRequest<KafkaCommittable> request) {
      this.request = request;
    }

    @Override
    public void signalFailedWithKnownReason(Throwable cause) {
      if (restored(request)) {
        pass(request, cause);
      } else {
        request.signalFailedWithUnknownReason(
            new IOException(
                "the broker has aborted transaction %s before it was committed (outage longer than"
                        .formatted(request.getCommittable().getTransactionalId())
                    + " transaction.timeout.ms?); the job starts again and writes its text again",
                cause));
      }
    }

    @Override
    public void signalFailedWithUnknownReason(Throwable cause) {
      if (restored(request) && cause instanceof InvalidPidMappingException) {
        signalFailedWithKnownReason(cause); // so long ago that the broker has forgotten the id
      } else {
        request.signalFailedWithUnknownReason(cause);
      }
    }

    @Override
    public KafkaCommittable getCommittable() {
      return request.getCommittable();
    }

    @Override
    public int getNumberOfRetries() {
      return request.getNumberOfRetries();
    }

    @Override
    public void retryLater() {
      request.retryLater();
    }

    @Override
    public void updateAndRetryLater(KafkaCommittable committable) {
      request.updateAndRetryLater(committable);
    }

    @Override
    public void signalAlreadyCommitted() {
      request.signalAlreadyCommitted();
    }
  }
}
