// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DeviceException;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUresult;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/**
 * Work that was recorded once and is launched again and again with one call: the same kernels,
 * grids, addresses and arguments. What changes from launch to launch lies in device memory.
 */
final class CudaGraph implements AutoCloseable {
  private final CudaDevice device;
  private final String name;
  private final CUgraphExec handle = new CUgraphExec();
  private final long nodes;
  private boolean destroyed;

  private CudaGraph(CudaDevice device, String name, CUgraph graph) {
    this.device = device;
    this.name = name;
    long[] count = new long[1];
    device.check(JCudaDriver.cuGraphGetNodes(graph, null, count), "cuGraphGetNodes");
    nodes = count[0];
    device.check(
        JCudaDriver.cuGraphInstantiate(handle, graph, 0),
        "graph %s of %d nodes: cuGraphInstantiate",
        name,
        nodes);
    device.own(this);
  }

  /**
   * Records what {@code body} puts into {@code stream}, and into streams that are joined with it by
   * events both ways. Nothing of it runs. The body may neither wait for the device nor allocate;
   * other threads may.
   *
   * @param name for messages
   * @throws DeviceException what the body threw, or what the driver refused
   */
  static CudaGraph capture(CudaStream stream, String name, Runnable body) {
    CudaDevice device = stream.device();
    device.check(
        JCudaDriver.cuStreamBeginCapture(
            stream.handle(), CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
        "cuStreamBeginCapture");
    CUgraph graph = new CUgraph();
    stream.counters().recording(true);
    try {
      body.run();
    } catch (RuntimeException | Error e) {
      if (JCudaDriver.cuStreamEndCapture(stream.handle(), graph) == CUresult.CUDA_SUCCESS) {
        device.giveBack("cuGraphDestroy", () -> JCudaDriver.cuGraphDestroy(graph));
      }
      throw e;
    } finally {
      stream.counters().recording(false);
    }
    device.check(JCudaDriver.cuStreamEndCapture(stream.handle(), graph), "cuStreamEndCapture");
    try {
      return new CudaGraph(device, name, graph);
    } finally {
      device.giveBack("cuGraphDestroy", () -> JCudaDriver.cuGraphDestroy(graph));
    }
  }

  /** Kernels, copies and fills in it. */
  long nodes() {
    return nodes;
  }

  /** Puts all of it into a stream; errors of the run are thrown by a later call on the device. */
  void launch(CudaStream stream) {
    int status = JCudaDriver.cuGraphLaunch(handle, stream.handle());
    device.launches().addGraph(name);
    stream.counters().replayed();
    if (status != CUresult.CUDA_SUCCESS) {
      throw device.failure(status, "launch of graph %s of %d nodes".formatted(name, nodes));
    }
  }

  @Override
  public void close() {
    if (!destroyed) {
      destroyed = true;
      device.disown(this);
      device.giveBack("cuGraphExecDestroy", () -> JCudaDriver.cuGraphExecDestroy(handle));
    }
  }
}
