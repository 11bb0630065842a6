// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntSupplier;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/**
 * One GPU of this process: its primary context, its kernel modules and what is known of it. Whoever
 * opens it closes it; the context ends with the last one. What was made from it (memory, streams,
 * events, graphs, pinned buffers) and is still open is closed with it, so that whoever fails
 * half-way has nothing else to give back.
 *
 * <p>A context is current per thread: every thread that calls the driver calls {@link #enter} first
 * (10 ns).
 */
final class CudaDevice implements AutoCloseable {
  private final DeviceProperties properties;
  private final CUdevice handle = new CUdevice();
  private final CUcontext context = new CUcontext();
  private final KernelImages images;
  private final LaunchLog launches = new LaunchLog();
  private final Map<String, KernelModule> modules = new LinkedHashMap<>();
  private final Set<AutoCloseable> owned = new LinkedHashSet<>();
  private long allocations;
  private volatile @Nullable String lost;
  private boolean closed;

  private CudaDevice(DeviceProperties properties, KernelImages images) {
    this.properties = properties;
    this.images = images;
    check(JCudaDriver.cuDeviceGet(handle, properties.index()), "cuDeviceGet");
    check(JCudaDriver.cuDevicePrimaryCtxRetain(context, handle), "cuDevicePrimaryCtxRetain");
    try {
      enter();
    } catch (DeviceException e) {
      close();
      throw e;
    }
  }

  /**
   * Opens device {@code index} of those that the driver shows this process, and enters it.
   *
   * @throws DeviceException of class REFUSED when it cannot be used, with what to do
   */
  static CudaDevice open(int index) {
    return open(index, KernelImages.standard());
  }

  /** As {@link #open(int)}, with kernels from elsewhere. */
  static CudaDevice open(int index, KernelImages images) {
    CudaDriver driver = CudaDriver.probe();
    if (driver.count() == 0) {
      throw cannotOpen(index, driver.detail() + "; " + driver.advice());
    }
    if (index < 0 || index >= driver.count()) {
      throw cannotOpen(
          index,
          "this process sees %d: %s; name another, or let CUDA_VISIBLE_DEVICES show more"
              .formatted(driver.count(), driver.detail()));
    }
    DeviceProperties properties = DeviceProperties.of(index);
    if (!properties.hasKernels()) {
      throw cannotOpen(index, properties + "; " + DeviceProperties.NEEDED);
    }
    return new CudaDevice(properties, images);
  }

  private static DeviceException cannotOpen(int index, String why) {
    return new DeviceException(
        Failure.REFUSED, "cannot open CUDA device %d: %s".formatted(index, why));
  }

  /** Makes the context current in the calling thread. */
  void enter() {
    check(JCudaDriver.cuCtxSetCurrent(context), "cuCtxSetCurrent");
  }

  int index() {
    return properties.index();
  }

  String name() {
    return properties.name();
  }

  /** 80 for 8.0, 90 for 9.0. */
  int computeCapability() {
    return properties.computeCapability();
  }

  /** Whether kernels of {@code *_sm90a.cu} run here: they do on 9.0 alone. */
  boolean hasWgmma() {
    return properties.computeCapability() == 90;
  }

  int multiprocessors() {
    return properties.multiprocessors();
  }

  /** Most dynamic shared memory that one block may have. */
  int maxSharedBytes() {
    return properties.maxSharedBytes();
  }

  long totalBytes() {
    return properties.totalBytes();
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
  @SuppressWarnings("AnnotateFormatMethod") // the annotation would be one more dependency
  void check(int status, String what, Object... args) {
    if (status != CUresult.CUDA_SUCCESS) {
      throw failure(status, what.formatted(args));
    }
  }

  /** To be called by what lives on the device, when it is made. */
  synchronized void own(AutoCloseable thing) {
    owned.add(thing);
    allocations++;
  }

  /** To be called by what lives on the device, when it is closed. */
  synchronized void disown(AutoCloseable thing) {
    owned.remove(thing);
  }

  /** Memory, streams, events, graphs and pinned buffers made from this that are open. */
  synchronized int ownedCount() {
    return owned.size();
  }

  /**
   * Gives back what lives on the device, from any thread. Does nothing on a lost device: nothing on
   * it can be freed, and the process that held it ends.
   */
  void giveBack(String what, IntSupplier call) {
    if (isLost()) {
      return;
    }
    int status = JCudaDriver.cuCtxSetCurrent(context);
    if (status == CUresult.CUDA_SUCCESS) {
      status = call.getAsInt();
    }
    if (status != CUresult.CUDA_SUCCESS) {
      DeviceException failure = failure(status, what);
      if (failure.failure() != Failure.LOST) {
        throw failure;
      }
    }
  }

  /** What a status means; notes it when the device is lost. */
  DeviceException failure(int status, String what) {
    Failure failure = CudaStatus.classOf(status);
    StringBuilder message = new StringBuilder("device %d (%s): ".formatted(index(), name()));
    message.append(what).append(": ").append(CudaStatus.describe(status));
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

  /** How often any of it was made. */
  synchronized long allocations() {
    return allocations;
  }

  /** Closes what is open, unloads the modules and gives the context back. */
  @Override
  public void close() {
    List<AutoCloseable> left = new ArrayList<>();
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      left.add(
          () ->
              giveBack(
                  "cuDevicePrimaryCtxRelease",
                  () -> JCudaDriver.cuDevicePrimaryCtxRelease(handle)));
      modules.values().forEach(module -> left.add(module::unload));
      left.addAll(owned);
    }
    Closing.all(left);
  }

  @Override
  public String toString() {
    return "device " + properties;
  }
}
