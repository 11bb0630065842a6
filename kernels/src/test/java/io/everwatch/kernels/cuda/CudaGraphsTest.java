// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceCounters;
import io.everwatch.kernels.cuda.TinyDecoder.Speaker;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Decode passes that were recorded, against the same ones run operation by operation. */
@RequiresDevice
class CudaGraphsTest {
  /** Streams of each step: all buckets up to 16, grown and shrunk. */
  private static final int[] COMPANY = {1, 1, 2, 3, 4, 9, 9, 5, 2, 1, 8, 1};

  private static CudaBackend open(DType type, boolean record) {
    return new CudaBackend(CudaDevice.open(0), type, record);
  }

  /** What {@code COMPANY[step]} streams say and compute in each step. */
  private static List<String> speak(CudaBackend backend) {
    List<String> heard = new ArrayList<>();
    try (TinyDecoder decoder = new TinyDecoder(backend)) {
      List<Speaker> speakers = IntStream.range(0, 9).mapToObj(i -> decoder.new Speaker(i)).toList();
      speakers.forEach(decoder::prefill);
      for (int company : COMPANY) {
        List<Speaker> now = speakers.subList(0, company);
        decoder.decode(now);
        now.forEach(speaker -> heard.add(bits(speaker)));
      }
      speakers.forEach(Speaker::close);
    }
    return heard;
  }

  private static String bits(Speaker speaker) {
    return speaker.tokens() + " " + java.util.Arrays.hashCode(speaker.logits());
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16"})
  void recordedPassesGiveTheBitsOfThoseThatAreNot(DType type) {
    List<String> expected;
    try (CudaBackend plain = open(type, false)) {
      expected = speak(plain);
      assertThat(plain.recordings()).isZero();
      assertThat(plain.counters().replays()).isZero();
    }
    try (CudaBackend recording = open(type, true)) {
      assertThat(speak(recording)).isEqualTo(expected);
      assertThat(recording.recordings()).as("buckets 1, 2, 4, 8, 16").isEqualTo(5);
      assertThat(recording.counters().replays()).isEqualTo(COMPANY.length - 5);
    }
  }

  @Test
  @EnabledOnEmulation
  void nothingIsForgottenBetweenStreamsWhenWorkRunsLate() {
    List<String> expected;
    try (CudaBackend eager = open(DType.BF16, true)) {
      expected = speak(eager);
    }
    Emulation.set("streams=lazy");
    try (CudaBackend lazy = open(DType.BF16, true)) {
      assertThat(speak(lazy)).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16"})
  void aStreamsBitsAreTheSameInEveryBucket(DType type) {
    List<String> alone = new ArrayList<>();
    try (CudaBackend backend = open(type, true);
        TinyDecoder decoder = new TinyDecoder(backend);
        Speaker speaker = decoder.new Speaker(1)) {
      decoder.prefill(speaker);
      for (int step = 0; step < 6; step++) {
        decoder.decode(List.of(speaker));
        alone.add(bits(speaker));
      }
    }
    for (int others : new int[] {1, 7, 63}) {
      try (CudaBackend backend = open(type, true);
          TinyDecoder decoder = new TinyDecoder(backend)) {
        List<Speaker> speakers = new ArrayList<>();
        for (int i = 0; i < others; i++) {
          speakers.add(decoder.new Speaker(100 + i));
        }
        Speaker same = decoder.new Speaker(1);
        speakers.add(others / 2, same);
        speakers.forEach(decoder::prefill);
        for (int step = 0; step < 6; step++) {
          decoder.decode(speakers);
          assertThat(bits(same)).as("%d others, step %d", others, step).isEqualTo(alone.get(step));
        }
        speakers.forEach(Speaker::close);
      }
    }
  }

  @Test
  void aStepOfDecodingTakesOneCopyInOneOutAndOneReplay() {
    try (CudaBackend backend = open(DType.BF16, true);
        TinyDecoder decoder = new TinyDecoder(backend)) {
      decoder.withLogits = false;
      List<Speaker> speakers = IntStream.range(0, 3).mapToObj(i -> decoder.new Speaker(i)).toList();
      speakers.forEach(decoder::prefill);
      decoder.decode(speakers);
      for (int step = 0; step < 4; step++) {
        DeviceCounters before = backend.counters();
        decoder.decode(speakers);
        assertThat(backend.counters().since(before))
            .as("angles, scores, choice; tables; tokens; nothing allocated")
            .isEqualTo(new DeviceCounters(3, 1, 1, 0, 1, 0));
      }
      assertThat(decoder.bodies).as("run once, recorded once").isEqualTo(2);
      speakers.forEach(Speaker::close);
    }
  }

  @Test
  void aNewPoolHasRecordingsOfItsOwn() {
    try (CudaBackend backend = open(DType.BF16, true);
        TinyDecoder decoder = new TinyDecoder(backend)) {
      List<String> first = new ArrayList<>();
      for (int job = 0; job < 3; job++) {
        List<String> heard = new ArrayList<>();
        try (Speaker speaker = decoder.new Speaker(4)) {
          decoder.prefill(speaker);
          for (int step = 0; step < 3; step++) {
            decoder.decode(List.of(speaker));
            heard.add(bits(speaker));
          }
        }
        assertThat(backend.recordings()).isEqualTo(job + 1);
        first = job == 0 ? heard : first;
        assertThat(heard).as("job %d", job).isEqualTo(first);
        decoder.replacePool();
      }
    }
  }

  @Test
  void anIdOutsideTheTableIsRefusedWhenThePassIsRepeated() {
    try (CudaBackend backend = open(DType.BF16, true);
        TinyDecoder decoder = new TinyDecoder(backend);
        Speaker speaker = decoder.new Speaker(0)) {
      decoder.prefill(speaker);
      decoder.decode(List.of(speaker));
      decoder.decode(List.of(speaker));
      assertThatThrownBy(() -> decoder.decode(List.of(speaker), new int[] {TinyDecoder.VOCABULARY}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContainingAll("ids from 200 to 200", "200 rows");
      decoder.decode(List.of(speaker));
    }
  }
}
