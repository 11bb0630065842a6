// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.everwatch.kernels.DeviceName;
import io.everwatch.operators.flink.gpu.Gpu;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.flink.api.common.externalresource.ExternalResourceInfo;
import org.junit.jupiter.api.Test;

class TaskGpusTest {
  private static final DeviceName CUDA = DeviceName.parse("cuda");
  private static final DeviceName AUTO = DeviceName.parse("auto");

  @Test
  void allSubtasksOfATaskManagerWithOneGpuUseIt() {
    for (int subtask = 0; subtask < 4; subtask++) {
      assertThat(new TaskGpus(List.of(3), subtask).device(CUDA)).hasToString("cuda:3");
      assertThat(new TaskGpus(List.of(3), subtask).device(AUTO)).hasToString("cuda:3");
    }
  }

  @Test
  void subtasksSpreadOverSeveralGpusInTheOrderOfTheirIndexes() {
    assertThat(IntStream.range(0, 5).mapToObj(i -> new TaskGpus(List.of(7, 2), i).device(CUDA)))
        .extracting(DeviceName::index)
        .containsExactly(2, 7, 2, 7, 2);
  }

  @Test
  void aJobForTheCpuTakesNoGpu() {
    assertThat(new TaskGpus(List.of(0), 0).device(DeviceName.CPU)).isEqualTo(DeviceName.CPU);
  }

  @Test
  void withoutAGpuAJobThatTakesWhatThereIsTakesTheCpu() {
    assertThat(new TaskGpus(List.of(), 0).device(AUTO)).isEqualTo(DeviceName.CPU);
  }

  @Test
  void withoutAGpuAJobThatWantsOneIsRefusedAndToldWhatToDo() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new TaskGpus(List.of(), 2).device(CUDA))
        .withMessageContaining("device is cuda, but the TaskManager of subtask 2 lists no GPU")
        .withMessageContaining("plugins/everwatch-gpu/")
        .withMessageContaining("EVERWATCH_GPUS");
  }

  @Test
  void readsTheResourcesOfAnyDriver() {
    assertThat(TaskGpus.indexes(List.of(new Gpu(1), indexed("0")))).containsExactly(1, 0);
    for (String wrong : List.of("", "GPU-1", "-1")) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> TaskGpus.indexes(List.of(indexed(wrong))))
          .withMessageContaining("has the index '%s'", wrong)
          .withMessageContaining("external-resource.gpu.driver-factory.class");
    }
  }

  private static ExternalResourceInfo indexed(String value) {
    return new ExternalResourceInfo() {
      @Override
      public Optional<String> getProperty(String key) {
        return Optional.of(value);
      }

      @Override
      public Collection<String> getKeys() {
        return List.of("index");
      }
    };
  }
}
