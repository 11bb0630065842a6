// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

/**
 * Launches of a kernel that has nothing to do, to measure what launching costs the calling thread
 * (gpu.md §5). For benchmarks and {@code kernels/gpu-check}. One thread at a time.
 */
public final class LaunchProbe implements AutoCloseable {
  /** Launches in the graph of {@link #replay}. */
  public static final int GRAPH_LAUNCHES = 100;

  private static final int BLOCK = 32;

  private final CudaDevice device;
  private final CudaStream stream;
  private final DeviceMemory memory;
  private final Kernel kernel;
  private final CudaGraph graph;

  private LaunchProbe(CudaDevice device) {
    this.device = device;
    this.stream = CudaStream.open(device);
    this.memory = DeviceMemory.allocate(device, 256, "a kernel's arguments");
    this.kernel = KernelModule.load(device, "elementwise").kernel("rms_norm_f32");
    this.graph =
        CudaGraph.capture(
            stream,
            "of launches",
            () -> {
              for (int i = 0; i < GRAPH_LAUNCHES; i++) {
                launch();
              }
            });
  }

  /**
   * Opens device {@code index}.
   *
   * @throws io.everwatch.kernels.DeviceException when there is none, with what to do
   */
  public static LaunchProbe open(int index) {
    CudaDevice device = CudaDevice.open(index);
    try {
      return new LaunchProbe(device);
    } catch (RuntimeException | Error e) {
      try (device) {
        throw e;
      }
    }
  }

  /** One launch with five arguments, over rows without elements. */
  public void launch() {
    long at = memory.address();
    kernel.launch(
        stream, 1, 1, 1, BLOCK, 0, kernel.args().pointer(at).pointer(at).pointer(at).i32(0).f32(1));
  }

  /** The same {@value #GRAPH_LAUNCHES} times, as one graph. */
  public void replay() {
    graph.launch(stream);
  }

  /** Waits until the device has run everything. */
  public void await() {
    stream.synchronize();
  }

  @Override
  public void close() {
    try (device;
        stream;
        memory;
        graph) {
      stream.synchronize();
    }
  }
}
