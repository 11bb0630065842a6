// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.operators.engine.Session.Phase;
import io.everwatch.operators.engine.Session.State;
import io.everwatch.operators.model.StreamSettings;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine: one thread that takes steps ({@link StepLoop}) and a few that prepare frames. All
 * else reaches the step thread as a command, between two steps.
 */
final class BatchingEngine implements Engine {
  private static final Logger LOG = LoggerFactory.getLogger(BatchingEngine.class);

  private final EngineParts parts;
  private final EngineOptions options;
  private final IntConsumer halt;
  private final Watchdog watchdog;
  private final StepLoop loop;
  private final CommandQueue commands = new CommandQueue();
  private final Preparation preparation;
  private final ExecutorService workers;
  private final PictureBudget pictures;
  private final Thread stepThread;
  private final Places places;
  private final Set<EngineSeat> seats = ConcurrentHashMap.newKeySet();
  private final AtomicInteger preparing = new AtomicInteger();
  private volatile EngineMetrics metrics;
  private volatile @Nullable Throwable broken;
  private volatile boolean stopping;

  /**
   * @param halt ends the process with an exit code of {@link DeviceExit}, at once
   */
  BatchingEngine(EngineParts parts, EngineOptions options, IntConsumer halt) {
    this.parts = parts;
    this.options = options;
    this.halt = halt;
    this.watchdog = new Watchdog(options.stepTimeout(), this::hung);
    StageClock clock = new StageClock();
    StepBatcher batcher =
        new StepBatcher(
            parts.network(), StepBatcher.LogitsTrace.NONE, parts.stops(), clock, watchdog);
    this.loop = new StepLoop(parts.network(), batcher, parts.ending(), clock, options);
    this.metrics = loop.metrics(0);
    this.places = new Places(options);
    this.pictures = new PictureBudget(options.pictureBytes());
    this.preparation = new Preparation(parts.clips(), parts.planner(), parts.ending(), pictures);
    AtomicInteger number = new AtomicInteger();
    this.workers =
        Executors.newFixedThreadPool(
            options.workers(),
            task -> thread(task, "everwatch-frames-" + number.getAndIncrement()));
    this.stepThread = thread(this::run, "everwatch-step");
  }

  /** Starts the step thread and its watchdog. */
  BatchingEngine start() {
    stepThread.start();
    watchdog.start();
    return this;
  }

  private static Thread thread(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    // The creator's loader may be a job's; holding on to it would keep the job in memory.
    thread.setContextClassLoader(BatchingEngine.class.getClassLoader());
    return thread;
  }

  @Override
  public StreamSettings settings() {
    return parts.settings();
  }

  @Override
  public String modelDigest() {
    return parts.modelDigest();
  }

  @Override
  public NumericsIdentity numerics() {
    return parts.numerics();
  }

  @Override
  public String decode(int[] ids) {
    return parts.words().decode(ids);
  }

  @Override
  public EngineMetrics metrics() {
    return metrics;
  }

  @Override
  public Seat attach(EngineListener listener) {
    requireAlive();
    EngineSeat seat = new EngineSeat(this, listener, options.queueRounds());
    seats.add(seat);
    return seat;
  }

  // --- for seats, any thread ---

  Session open(EngineSeat seat, String streamId, StreamSettings settings) {
    State nothing = new State(Committed.NONE, SessionRows.NONE);
    return open(
        seat, new Session(seat, streamId, settings, parts.policy().apply(settings), nothing));
  }

  Session open(EngineSeat seat, SessionSnapshot snapshot) {
    SnapshotHeader header = snapshot.header();
    int elements = Math.toIntExact(parts.network().rows().shape().rowElements());
    boolean otherRows =
        header.committed().memory().cachedRows() > 0 && header.rowElements() != elements;
    if (!header.modelDigest().equals(parts.modelDigest()) || otherRows) {
      throw new CorruptSnapshotException(
          "snapshot of stream %s was made by model %s with rows of %d values; expected model %s with %d; rebuild the stream from its log"
              .formatted(
                  header.streamId(),
                  header.modelDigest(),
                  header.rowElements(),
                  parts.modelDigest(),
                  elements));
    }
    State state =
        new State(
            header.committed(), SessionRows.inHost(snapshot.rows(parts.network().rows().dtype())));
    StreamSettings settings = header.settings();
    return open(
        seat,
        new Session(seat, header.streamId(), settings, parts.policy().apply(settings), state));
  }

  RebuiltMemory rebuild(
      String streamId, List<byte[]> pieces, StreamSettings settings, long rounds) {
    Rebuild.Result rebuilt = new Rebuild(parts).rebuild(pieces, settings, rounds);
    return new RebuiltMemory(
        snapshot(streamId, rebuilt.settings(), rebuilt.committed(), new byte[0][]),
        rebuilt.source());
  }

  private Session open(EngineSeat seat, Session session) {
    requireAlive();
    commands.add(
        () -> {
          if (seat.isOpen()) { // else what it leaves was released before
            loop.add(session);
          }
        });
    return session;
  }

  void submit(Job job) {
    preparing.incrementAndGet();
    commands.add(() -> loop.submitted(job));
    try {
      workers.execute(() -> prepare(job));
    } catch (RejectedExecutionException e) {
      preparing.decrementAndGet();
      throw new IllegalStateException("the engine is closed; open it again", e);
    }
  }

  CompletableFuture<SessionSnapshot> snapshot(Session session, long rounds) {
    CompletableFuture<SessionSnapshot> future = new CompletableFuture<>();
    StreamSettings settings = session.settings(); // of now: sampling may change before it is copied
    command(
        future,
        () -> {
          StepLoop.Saved saved = loop.save(session, rounds);
          workers.execute(() -> complete(future, session, settings, saved));
        });
    return future;
  }

  private void complete(
      CompletableFuture<SessionSnapshot> future,
      Session session,
      StreamSettings settings,
      StepLoop.Saved saved) {
    try {
      future.complete(
          snapshot(session.streamId(), settings, saved.committed(), saved.rows().host()));
    } catch (RuntimeException | Error e) {
      future.completeExceptionally(e);
    }
  }

  private SessionSnapshot snapshot(
      String streamId, StreamSettings settings, Committed committed, byte[][] rows) {
    return SessionSnapshot.of(
        new SnapshotHeader(
            streamId,
            parts.modelDigest(),
            parts.numerics().digest(),
            parts.network().rows().dtype(),
            Math.toIntExact(parts.network().rows().shape().rowElements()),
            settings,
            committed,
            Transcript.of(committed.memory(), parts.ending(), parts.words())),
        rows);
  }

  /** Whether it was not released before. */
  boolean release(Session session) {
    boolean first = session.releasePhase() != Phase.RELEASED;
    if (first) {
      commands.add(() -> loop.release(session));
    }
    return first;
  }

  boolean hasPlace(EngineSeat seat) {
    return places.isFreeFor(seat, seats);
  }

  /** Waits until nothing of the seat is left, at most {@code closeTimeout}. */
  void leave(EngineSeat seat) {
    seats.remove(seat);
    if (Thread.currentThread() == stepThread) {
      commands.add(() -> loop.release(seat)); // inside a listener call: after this step
      return;
    }
    CompletableFuture<Void> done = new CompletableFuture<>();
    command(
        done,
        () -> {
          loop.release(seat);
          done.complete(null);
        });
    try {
      done.get(options.closeTimeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      LOG.warn(
          "a seat was closed, but the running step did not end within {} ms; its rows are freed"
              + " when it does",
          options.closeTimeout().toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      LOG.debug("a seat was closed when the engine had ended", e);
    }
  }

  void requireAlive() {
    Throwable cause = broken;
    if (cause != null) {
      throw unusable(cause);
    }
    if (stopping) {
      throw new IllegalStateException("the engine is closed; open it again");
    }
  }

  private static RuntimeException unusable(Throwable cause) {
    String message = "the engine is of no use any more: " + cause.getMessage();
    return cause instanceof DeviceException device
        ? new DeviceException(device.failure(), message, cause)
        : new IllegalStateException(message + "; close it and open another", cause);
  }

  /** Runs on the step thread; what it throws ends the future. */
  private void command(CompletableFuture<?> future, Runnable body) {
    commands.add(
        new CommandQueue.Command() {
          @Override
          public void run() {
            try {
              body.run();
            } catch (RuntimeException e) {
              future.completeExceptionally(e);
            }
          }

          @Override
          public void drop(RuntimeException why) {
            future.completeExceptionally(why);
          }
        });
  }

  /** Worker. */
  private void prepare(Job job) {
    Optional<String> fault = preparation.prepare(job);
    commands.add(
        () -> {
          preparing.decrementAndGet();
          fault.ifPresentOrElse(reason -> loop.unusable(job, reason), () -> loop.ready(job));
        });
  }

  /** Bytes that prepared pictures may take now. */
  long heldPictureBytes() {
    return pictures.heldBytes();
  }

  // --- step thread ---

  private void run() {
    try {
      while (!stopping && broken == null) {
        if (!loop.hasWork()) {
          commands.await();
        }
        watchdog.begin();
        commands.runAll();
        if (loop.hasWork()) {
          loop.step();
        }
        watchdog.rest();
        metrics = loop.metrics(preparing.get());
        loop.report();
      }
    } catch (InterruptedException e) {
      LOG.debug("step thread interrupted", e);
    } catch (RuntimeException | Error e) {
      fail(e);
    } finally {
      watchdog.close(); // not before: a step that never ends must be noticed while closing, too
      if (broken == null) {
        commands.close(new IllegalStateException("the engine is closed; open it again"));
        parts.network().close();
      } else {
        parts.network().abandon();
      }
    }
  }

  /** Watchdog: the step thread does not come back, and nobody can make it. */
  private void hung() {
    fail(
        new DeviceException(
            Failure.HUNG,
            "a step has not ended within %d ms; expected less than that bound (engine.step-timeout); look at the device and its driver, or raise the bound if the model is as slow as that here"
                .formatted(options.stepTimeout().toMillis())));
  }

  /**
   * The engine ends by itself, once. A lost device takes the process with it; anything else, such
   * as a Java heap that is full, is for the users to judge: in a task of Flink's, Flink decides
   * whether the process can go on.
   */
  private void fail(Throwable cause) {
    synchronized (this) {
      if (broken != null) {
        return;
      }
      broken = cause;
    }
    OptionalInt exit = DeviceExit.of(cause);
    exit.ifPresent(
        status ->
            LOG.error(
                "the device cannot be used any more, the process ends with exit code {}: {}",
                status,
                cause.getMessage()));
    try {
      seats.forEach(seat -> seat.ended(cause));
      commands.close(unusable(cause));
    } finally {
      exit.ifPresent(halt);
    }
  }

  @Override
  public void close() {
    if (stopping) {
      return;
    }
    List.copyOf(seats).forEach(EngineSeat::close);
    stopping = true;
    commands.add(() -> {}); // wakes the step thread
    workers.shutdownNow();
    try {
      stepThread.join(options.closeTimeout().toMillis());
      if (!workers.awaitTermination(options.closeTimeout().toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.warn("workers that decode frames did not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
