// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.kernels.DeviceName;
import io.everwatch.operators.flink.gpu.Gpu;
import io.everwatch.operators.flink.gpu.GpuDiscovery;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.common.externalresource.ExternalResourceInfo;
import org.apache.flink.api.common.functions.RuntimeContext;

/**
 * The GPUs that a subtask finds where it runs. All task slots of a TaskManager are given the same
 * ones: one TaskManager per GPU, whose slots share one engine, is the plain case.
 *
 * @param indexes in ascending order; none inside a process of one's own (Flink's MiniCluster)
 * @param subtask index of the subtask
 */
public record TaskGpus(List<Integer> indexes, int subtask) {
  private static final String CUDA = "cuda";
  private static final String AUTO = "auto";

  public TaskGpus {
    indexes = indexes.stream().sorted().toList();
  }

  static TaskGpus of(RuntimeContext context) {
    return new TaskGpus(
        indexes(context.getExternalResourceInfos(Gpu.RESOURCE)),
        context.getTaskInfo().getIndexOfThisSubtask());
  }

  /** Also those of another driver than ours. */
  static List<Integer> indexes(Collection<? extends ExternalResourceInfo> infos) {
    return infos.stream().map(TaskGpus::index).toList();
  }

  private static int index(ExternalResourceInfo info) {
    String text = info.getProperty(Gpu.INDEX).orElse("");
    if (!text.matches("\\d{1,4}")) {
      throw new IllegalArgumentException(
          "the TaskManager's resource '%s' has the %s '%s'; expected the number of a GPU; let external-resource.%s.driver-factory.class be everwatch-gpu's"
              .formatted(Gpu.RESOURCE, Gpu.INDEX, text, Gpu.RESOURCE));
    }
    return Integer.parseInt(text);
  }

  /**
   * The device of the engine that this subtask takes a seat at. Of several GPUs subtask {@code i}
   * takes the {@code i}-th, round and round.
   *
   * @param wanted by the job: a GPU, whichever the TaskManager has; or what the TaskManager has
   *     ({@code auto}); anything else is taken as it is
   * @throws IllegalArgumentException when the job wants a GPU and the TaskManager lists none
   */
  DeviceName device(DeviceName wanted) {
    boolean gpu = wanted.backend().equals(CUDA);
    if (!gpu && !wanted.backend().equals(AUTO)) {
      return wanted;
    }
    if (!indexes.isEmpty()) {
      return new DeviceName(CUDA, indexes.get(subtask % indexes.size()));
    }
    if (!gpu) {
      return DeviceName.CPU;
    }
    throw new IllegalArgumentException(
        "the job's device is %s, but the TaskManager of subtask %d lists no GPU; expected the external resource '%s'; put everwatch-gpu.jar into its plugins/everwatch-gpu/, configure external-resources: %s (deploy/conf/gpu.yaml) and, of several GPUs, %s; if that is done, the first lines of its log say why discovery failed; or run the job with device auto or cpu"
            .formatted(wanted, subtask, Gpu.RESOURCE, Gpu.RESOURCE, GpuDiscovery.VARIABLE));
  }
}
