// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import jcuda.driver.CUdevice;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * The stand-in driver's settings, for tests of all modules; processes take them from the
 * environment, {@code CUEMU=order=reverse,memory=64m}. They hold for the whole process until {@link
 * #reset}, which {@link EnabledOnEmulation} and {@link RequiresDevice} call around each test.
 *
 * <table>
 *   <caption>Settings</caption>
 *   <tr><td>{@code order}</td><td>{@code forward}, {@code reverse}, {@code random:SEED}: in which
 *       order threads, warps and blocks run</td></tr>
 *   <tr><td>{@code cpasync}</td><td>{@code late}, {@code early}: when asynchronous copies land</td></tr>
 *   <tr><td>{@code wgmma}</td><td>{@code late}, {@code early}: when wgmma reads its operands; early
 *       beside late copies finds operands that nobody waited for</td></tr>
 *   <tr><td>{@code streams}</td><td>{@code eager}, {@code lazy}: lazy work runs when somebody waits
 *       </td></tr>
 *   <tr><td>{@code null}</td><td>{@code 1}: launches do nothing</td></tr>
 *   <tr><td>{@code fail}</td><td>{@code CALL:NAME:N[:STATUS]}: the n-th call of a kind from now on
 *       fails; calls are launch, graph, alloc, pinned, copy, sync, module, stream, event, init; NAME
 *       is a kernel for launch, else {@code *}; statuses that would spoil a GPU's context spoil the
 *       device ({@code launch:*:3:214}: an ECC error)</td></tr>
 *   <tr><td>{@code hang}</td><td>{@code NAME:N}: the n-th launch of that kernel ({@code *}: any;
 *       {@code graph}: a graph) does not end before {@code none}</td></tr>
 *   <tr><td>{@code once}</td><td>a file: faults and hangs hold only in the process that removes it
 *       </td></tr>
 *   <tr><td>{@code memory}</td><td>bytes of each device, {@code 64m}</td></tr>
 *   <tr><td>{@code devices}, {@code capability}, {@code driver}</td><td>number of devices, compute
 *       capability times ten, version ({@code 13000})</td></tr>
 * </table>
 */
public final class Emulation {
  // Attributes of the stand-in driver's devices from here on are its counters.
  private static final int COUNTERS = 0x45570000;

  private Emulation() {}

  /** Whether this process has the stand-in driver. */
  public static boolean isPresent() {
    return CudaLibrary.emulation()
            .filter(folder -> Files.exists(folder.resolve("libcuda.so.1")))
            .isPresent()
        && CudaLibrary.failure().isEmpty();
  }

  /** Changes settings: {@code set("order=reverse", "streams=lazy")}. */
  public static void set(String... settings) {
    for (String setting : settings) {
      byte[] image = ("cuemu:" + setting + "\0").getBytes(StandardCharsets.US_ASCII);
      int status = JCudaDriver.cuModuleLoadData(new CUmodule(), image);
      if (status != CUresult.CUDA_SUCCESS) {
        throw new IllegalArgumentException("the stand-in driver does not know '" + setting + "'");
      }
    }
  }

  /**
   * Back to the defaults: faults are forgotten, what hangs goes on, and a lost device is replaced
   * by a new one, which no real driver can do. Does nothing on a real GPU.
   */
  public static void reset() {
    if (isPresent()) {
      set("defaults");
    }
  }

  /** What exists on a device now. */
  public record Live(
      int contexts, int modules, int streams, int events, int memory, int pinned, int graphs) {
    /** Nothing. */
    public static final Live NONE = new Live(0, 0, 0, 0, 0, 0, 0);
  }

  public static Live live(int device) {
    return new Live(
        counter(device, 0),
        counter(device, 1),
        counter(device, 2),
        counter(device, 3),
        counter(device, 4),
        counter(device, 5),
        counter(device, 6));
  }

  /**
   * What a device did since the process began.
   *
   * @param launches kernels run, those of graphs included
   * @param uploads copies from the host
   * @param downloads copies to the host
   */
  public record Counts(
      int launches,
      int graphLaunches,
      int uploads,
      int downloads,
      int deviceCopies,
      int fills,
      int uploadBytes,
      int downloadBytes) {
    /** What happened since {@code earlier}. */
    public Counts since(Counts earlier) {
      return new Counts(
          launches - earlier.launches,
          graphLaunches - earlier.graphLaunches,
          uploads - earlier.uploads,
          downloads - earlier.downloads,
          deviceCopies - earlier.deviceCopies,
          fills - earlier.fills,
          uploadBytes - earlier.uploadBytes,
          downloadBytes - earlier.downloadBytes);
    }
  }

  public static Counts counts(int device) {
    return new Counts(
        counter(device, 7),
        counter(device, 8),
        counter(device, 9),
        counter(device, 10),
        counter(device, 11),
        counter(device, 12),
        counter(device, 13),
        counter(device, 14));
  }

  /** How often memory of a device, or page-locked memory, was taken since the process began. */
  public static int allocations(int device) {
    return counter(device, 16);
  }

  /** Bytes of a device's memory that are taken now, in whole KiB. */
  public static long bytes(int device) {
    return 1024L * counter(device, 17);
  }

  /**
   * Modules, streams, events, memory, pinned buffers and graphs that were still there when a
   * device's context ended, since the process began.
   */
  public static int leaked(int device) {
    return counter(device, 15);
  }

  private static int counter(int device, int which) {
    CUdevice handle = new CUdevice();
    int[] value = new int[1];
    int status = JCudaDriver.cuDeviceGet(handle, device);
    if (status == CUresult.CUDA_SUCCESS) {
      status = JCudaDriver.cuDeviceGetAttribute(value, COUNTERS + which, handle);
    }
    if (status != CUresult.CUDA_SUCCESS) {
      throw new IllegalArgumentException("no device " + device);
    }
    return value[0];
  }

  /** Device 0 with the modules that hold the race checker's hooks. */
  static CudaDevice openChecked() {
    return CudaDevice.open(
        0, KernelImages.inFolder(CudaLibrary.emulation().orElseThrow(), ".check.so"));
  }
}
