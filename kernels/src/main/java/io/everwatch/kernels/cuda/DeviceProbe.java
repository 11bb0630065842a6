// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a device and its driver are, and how fast they copy: the limits beside which kernels are
 * judged, measured in the same run. For {@code kernels/gpu-check}; allocates what it measures with.
 * One thread at a time.
 */
public final class DeviceProbe implements AutoCloseable {
  private final CudaDevice device;
  private final CudaStream stream;

  private DeviceProbe(CudaDevice device) {
    this.device = device;
    this.stream = CudaStream.open(device);
  }

  /**
   * Opens device {@code index}.
   *
   * @throws io.everwatch.kernels.DeviceException when there is none, with what to do
   */
  public static DeviceProbe open(int index) {
    CudaDevice device = CudaDevice.open(index);
    try {
      return new DeviceProbe(device);
    } catch (RuntimeException | Error e) {
      try (device) {
        throw e;
      }
    }
  }

  /** Name, compute capability, multiprocessors, bytes in all and free, driver; by name. */
  public Map<String, Object> describe() {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("name", device.name());
    facts.put("computeCapability", device.computeCapability() / 10.0);
    facts.put("multiprocessors", device.multiprocessors());
    facts.put("totalBytes", device.totalBytes());
    facts.put("freeBytes", device.freeBytes());
    facts.put("driver", CudaDriver.probe().detail());
    facts.put("emulated", device.emulated());
    return facts;
  }

  /**
   * Bytes read and written per second by a copy on the device.
   *
   * @param bytes of the buffer; far more than the device's cache
   * @param samples of which the median counts
   */
  public double copyBytesPerSecond(long bytes, int samples) {
    try (DeviceMemory from = DeviceMemory.allocate(device, bytes, "a copy's source");
        DeviceMemory to = DeviceMemory.allocate(device, bytes, "a copy's target")) {
      stream.fill(from.address(), (byte) 1, bytes);
      return 2 * bytes / seconds(samples, () -> stream.copy(from.address(), to.address(), bytes));
    }
  }

  /** Bytes per second from page-locked host memory to the device. */
  public double uploadBytesPerSecond(int bytes, int samples) {
    try (PinnedBuffer host = PinnedBuffer.allocate(device, bytes, "an upload's source");
        DeviceMemory to = DeviceMemory.allocate(device, bytes, "an upload's target")) {
      return bytes / seconds(samples, () -> stream.upload(host, 0, to.address(), bytes));
    }
  }

  /** Bytes per second from the device to page-locked host memory. */
  public double downloadBytesPerSecond(int bytes, int samples) {
    try (DeviceMemory from = DeviceMemory.allocate(device, bytes, "a download's source");
        PinnedBuffer host = PinnedBuffer.allocate(device, bytes, "a download's target")) {
      stream.fill(from.address(), (byte) 1, bytes);
      return bytes / seconds(samples, () -> stream.download(from.address(), host, 0, bytes));
    }
  }

  /** Median by the device's own clock. */
  private double seconds(int samples, Runnable work) {
    work.run(); // the first one maps pages
    double[] seconds = new double[samples];
    try (CudaEvent begin = CudaEvent.timing(device);
        CudaEvent end = CudaEvent.timing(device)) {
      for (int i = 0; i < samples; i++) {
        begin.record(stream);
        work.run();
        end.record(stream);
        end.await();
        seconds[i] = end.millisSince(begin) / 1e3;
      }
    }
    Arrays.sort(seconds);
    return Math.max(seconds[samples / 2], 1e-9);
  }

  @Override
  public void close() {
    try (device) {
      stream.close();
    }
  }
}
