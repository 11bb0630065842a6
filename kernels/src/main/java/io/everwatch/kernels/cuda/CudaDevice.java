// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/**
 * One GPU of this process: its primary context, its kernel modules and what is known of it. Whoever
 * opens it closes it; the context ends with the last one. Everything made from it (memory, streams,
 * events, pinned buffers) is closed before it.
 *
 * <p>A context is current per thread: every thread that calls the driver calls {@link #enter} first
 * (10 ns).
 */
final class CudaDevice implements AutoCloseable {
  private final int index;
  private final CUdevice handle;
  private final CUcontext context;
  private final KernelImages images;
  private final String name;
  private final int computeCapability;
  private final int multiprocessors;
  private final int maxSharedBytes;
  private final long totalBytes;
  private final LaunchLog launches = new LaunchLog();
  private final Map<String, KernelModule> modules = new LinkedHashMap<>();
  private volatile @Nullable String lost;
  private boolean closed;

  private CudaDevice(int index, KernelImages images) {
    this.index = index;
    this.images = images;
    this.handle = new CUdevice();
    check(JCudaDriver.cuDeviceGet(handle, index), "cuDeviceGet %d", index);
    byte[] text = new byte[256];
    check(JCudaDriver.cuDeviceGetName(text, text.length, handle), "cuDeviceGetName");
    int length = 0;
    while (length < text.length && text[length] != 0) {
      length++;
    }
    name = new String(text, 0, length, StandardCharsets.UTF_8);
    computeCapability =
        10 * attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
            + attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    multiprocessors = attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    maxSharedBytes = attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
    long[] bytes = new long[1];
    check(JCudaDriver.cuDeviceTotalMem(bytes, handle), "cuDeviceTotalMem");
    totalBytes = bytes[0];
    context = new CUcontext();
    check(JCudaDriver.cuDevicePrimaryCtxRetain(context, handle), "cuDevicePrimaryCtxRetain");
    enter();
  }

  /**
   * Opens device {@code index} of those that the driver shows this process, and enters it.
   *
   * @throws DeviceException of class REFUSED when there is none, with what to do
   */
  static CudaDevice open(int index) {
    return open(index, KernelImages.standard());
  }

  /** As {@link #open(int)}, with kernels from elsewhere. */
  static CudaDevice open(int index, KernelImages images) {
    CudaLibrary.failure()
        .ifPresent(
            cause -> {
              throw new DeviceException(
                  Failure.REFUSED,
                  "cannot open CUDA device %d: %s; %s"
                      .formatted(index, CudaDriver.probe().detail(), CudaDriver.probe().advice()),
                  cause);
            });
    int status = JCudaDriver.cuInit(0);
    if (status != CUresult.CUDA_SUCCESS) {
      throw new DeviceException(
          CudaStatus.classOf(status),
          "cannot open CUDA device %d: cuInit returned %s; %s"
              .formatted(index, CudaStatus.name(status), CudaStatus.advice(status)));
    }
    return new CudaDevice(index, images);
  }

  /** Makes the context current in the calling thread. */
  void enter() {
    check(JCudaDriver.cuCtxSetCurrent(context), "cuCtxSetCurrent");
  }

  int index() {
    return index;
  }

  String name() {
    return name;
  }

  /** 80 for 8.0, 90 for 9.0. */
  int computeCapability() {
    return computeCapability;
  }

  /** Whether kernels of {@code *_sm90a.cu} run here: they do on 9.0 alone. */
  boolean hasWgmma() {
    return computeCapability == 90;
  }

  int multiprocessors() {
    return multiprocessors;
  }

  /** Most dynamic shared memory that one block may have. */
  int maxSharedBytes() {
    return maxSharedBytes;
  }

  long totalBytes() {
    return totalBytes;
  }

  long freeBytes() {
    long[] free = new long[1];
    check(JCudaDriver.cuMemGetInfo(free, new long[1]), "cuMemGetInfo");
    return free[0];
  }

  /** Whether this is the stand-in driver of the tests. */
  boolean emulated() {
    return CudaLibrary.emulation().isPresent();
  }

  /** Waits until everything launched on this device has run. */
  void synchronize() {
    check(JCudaDriver.cuCtxSynchronize(), "cuCtxSynchronize");
  }

  /** The modules of this device, each loaded once. */
  synchronized KernelModule module(String family) {
    KernelModule module = modules.get(family);
    if (module == null) {
      module = new KernelModule(this, family, images.image(family));
      modules.put(family, module);
    }
    return module;
  }

  LaunchLog launches() {
    return launches;
  }

  /** Whether the device is lost: nothing on it can be freed any more, and nobody needs to. */
  boolean isLost() {
    return lost != null;
  }

  /** Throws what a status other than success means. */
  void check(int status, String what) {
    if (status != CUresult.CUDA_SUCCESS) {
      throw failure(status, what);
    }
  }

  /** As {@link #check(int, String)}, with a format; makes garbage. */
  void check(int status, String what, Object... args) {
    if (status != CUresult.CUDA_SUCCESS) {
      throw failure(status, what.formatted(args));
    }
  }

  /**
   * As {@link #check(int, String)}, for calls that give back what is lost anyway with the device.
   */
  void checkFreed(int status, String what) {
    if (!isLost()) {
      check(status, what);
    }
  }

  DeviceException failure(int status, String what) {
    Failure failure = CudaStatus.classOf(status);
    StringBuilder message = new StringBuilder("device %d (%s): ".formatted(index, name));
    message.append(what).append(": ").append(CudaStatus.name(status));
    message.append("; ").append(CudaStatus.advice(status));
    if (failure == Failure.LOST) {
      String first = lost;
      if (first != null) {
        message.append("; it was lost before by ").append(first);
      } else {
        lost = what + ": " + CudaStatus.name(status);
        message.append("; ").append(launches.describe());
      }
    }
    return new DeviceException(failure, message.toString());
  }

  private int attribute(int attribute) {
    int[] value = new int[1];
    check(
        JCudaDriver.cuDeviceGetAttribute(value, attribute, handle),
        "cuDeviceGetAttribute %d",
        attribute);
    return value[0];
  }

  /** Unloads the modules and gives the context back. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (!isLost()) {
      enter();
      modules.values().forEach(KernelModule::unload);
      modules.clear();
      checkFreed(JCudaDriver.cuDevicePrimaryCtxRelease(handle), "cuDevicePrimaryCtxRelease");
    }
  }

  @Override
  public String toString() {
    return "device %d (%s, compute capability %d.%d)"
        .formatted(index, name, computeCapability / 10, computeCapability % 10);
  }
}
