// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.benchmark.ClipStream.Opened;
import io.everwatch.job.benchmark.Skips.Reason;
import io.everwatch.job.camera.CameraInput;
import io.everwatch.job.offline.RoundDriver;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Consumer;

/** Commentary of all clips of a benchmark, a line for each clip or, in chunk mode, each piece. */
final class Generation implements ClipStream.Desk {
  private final Benchmark benchmark;
  private final Path videos;
  private final Engine engine;
  private final GenerationOptions options;
  private final ResumableLines out;
  private final Skips skips;
  private final Consumer<String> progress;
  private final Deque<Clip> waiting;
  private final Set<String> done = new HashSet<>();

  Generation(
      Benchmark benchmark,
      List<Clip> clips,
      Path videos,
      Engine engine,
      GenerationOptions options,
      ResumableLines out,
      Skips skips,
      Consumer<String> progress) {
    this.benchmark = benchmark;
    this.videos = videos.toAbsolutePath().normalize();
    this.engine = engine;
    this.options = options;
    this.out = out;
    this.skips = skips;
    this.progress = progress;
    waiting = new ArrayDeque<>(clips);
    out.found().forEach(line -> done.add(benchmark.key(line)));
  }

  /** Returns when every clip was commented or skipped. */
  void run() throws IOException, InterruptedException {
    List<ClipStream> streams = new ArrayList<>();
    for (int i = 0; i < Math.min(options.parallel(), Math.max(1, waiting.size())); i++) {
      streams.add(new ClipStream("clip-" + i, engine.settings(), options, this, skips));
    }
    try {
      RoundDriver.drive(engine, streams, RoundDriver.PATIENCE);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } finally {
      for (ClipStream stream : streams) {
        stream.close();
      }
    }
  }

  @Override
  public Optional<Opened> next() {
    for (Clip clip = waiting.poll(); clip != null; clip = waiting.poll()) {
      if (options.pieceSeconds().isEmpty() && isDone(clip, clip.from())) {
        continue;
      }
      Optional<ClipFrames> frames = open(clip);
      if (frames.isPresent()) {
        progress.accept("%s, %d more".formatted(clip.id(), waiting.size()));
        return Optional.of(new Opened(clip, frames.get()));
      }
    }
    return Optional.empty();
  }

  private Optional<ClipFrames> open(Clip clip) {
    try {
      Path video = videos.resolve(clip.video()).normalize();
      if (!video.startsWith(videos) || !Files.exists(video)) {
        skips.add(Reason.MISSING_VIDEO, "%s: %s".formatted(clip.id(), video));
      } else if (Files.isRegularFile(video) && Files.size(video) == 0) {
        skips.add(Reason.EMPTY_VIDEO, "%s: %s".formatted(clip.id(), video));
      } else {
        boolean folder = Files.isDirectory(video);
        CameraInput input =
            new CameraInput(
                video.toString(),
                OptionalDouble.empty(),
                folder ? Optional.empty() : Optional.of(Encoding.RGB24),
                engine.settings().fps());
        return Optional.of(new ClipFrames(input.open(), clip.from(), clip.to()));
      }
    } catch (InvalidPathException e) {
      skips.add(Reason.MISSING_VIDEO, "%s: %s".formatted(clip.id(), e.getMessage()));
    } catch (IOException e) {
      skips.add(Reason.UNREADABLE_VIDEO, "%s: %s".formatted(clip.id(), e.getMessage()));
    }
    return Optional.empty();
  }

  @Override
  public boolean isDone(Clip clip, double from) {
    return done.contains(benchmark.key(clip, from));
  }

  @Override
  public void done(Clip clip, double from, double to, List<Word> said) throws IOException {
    ObjectNode line = benchmark.line(clip, from, to, said);
    out.add(line);
    done.add(benchmark.key(line));
  }
}
