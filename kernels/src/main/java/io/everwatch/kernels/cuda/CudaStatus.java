// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DeviceException.Failure;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** What a status of the driver means for whoever asked (architecture §6). */
final class CudaStatus {
  private CudaStatus() {}

  /** {@code CUDA_ERROR_OUT_OF_MEMORY (2)}. */
  static String name(int status) {
    String[] name = new String[1];
    boolean known = JCudaDriver.cuGetErrorName(status, name) == CUresult.CUDA_SUCCESS;
    String word = known && name[0] != null ? name[0] : CUresult.stringFor(status);
    return word + " (" + status + ")";
  }

  /** Name, number and the driver's own sentence, which in emulation says where and what it was. */
  static String describe(int status) {
    String[] text = new String[1];
    boolean known = JCudaDriver.cuGetErrorString(status, text) == CUresult.CUDA_SUCCESS;
    return known && text[0] != null ? name(status) + ", " + text[0] : name(status);
  }

  /**
   * REFUSED: the call did nothing and the device goes on. Everything else, numbers of later drivers
   * included, spoils the context for this process.
   */
  static Failure classOf(int status) {
    return switch (status) {
      case CUresult.CUDA_ERROR_INVALID_VALUE,
          CUresult.CUDA_ERROR_OUT_OF_MEMORY,
          CUresult.CUDA_ERROR_NOT_INITIALIZED,
          CUresult.CUDA_ERROR_STUB_LIBRARY,
          CUresult.CUDA_ERROR_NO_DEVICE,
          CUresult.CUDA_ERROR_INVALID_DEVICE,
          CUresult.CUDA_ERROR_DEVICE_NOT_LICENSED,
          CUresult.CUDA_ERROR_INVALID_IMAGE,
          CUresult.CUDA_ERROR_INVALID_CONTEXT,
          CUresult.CUDA_ERROR_MAP_FAILED,
          CUresult.CUDA_ERROR_UNMAP_FAILED,
          CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU,
          CUresult.CUDA_ERROR_UNSUPPORTED_LIMIT,
          CUresult.CUDA_ERROR_PEER_ACCESS_UNSUPPORTED,
          CUresult.CUDA_ERROR_INVALID_PTX,
          CUresult.CUDA_ERROR_JIT_COMPILER_NOT_FOUND,
          CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION,
          CUresult.CUDA_ERROR_JIT_COMPILATION_DISABLED,
          CUresult.CUDA_ERROR_UNSUPPORTED_EXEC_AFFINITY,
          CUresult.CUDA_ERROR_INVALID_SOURCE,
          CUresult.CUDA_ERROR_FILE_NOT_FOUND,
          CUresult.CUDA_ERROR_SHARED_OBJECT_SYMBOL_NOT_FOUND,
          CUresult.CUDA_ERROR_SHARED_OBJECT_INIT_FAILED,
          CUresult.CUDA_ERROR_INVALID_HANDLE,
          CUresult.CUDA_ERROR_ILLEGAL_STATE,
          CUresult.CUDA_ERROR_NOT_FOUND,
          CUresult.CUDA_ERROR_NOT_READY,
          CUresult.CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES,
          CUresult.CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED,
          CUresult.CUDA_ERROR_PEER_ACCESS_NOT_ENABLED,
          CUresult.CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE,
          CUresult.CUDA_ERROR_TOO_MANY_PEERS,
          CUresult.CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED,
          CUresult.CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED,
          CUresult.CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE,
          CUresult.CUDA_ERROR_NOT_PERMITTED,
          CUresult.CUDA_ERROR_NOT_SUPPORTED,
          CUresult.CUDA_ERROR_SYSTEM_NOT_READY,
          CUresult.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH,
          CUresult.CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE,
          CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
          CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED,
          CUresult.CUDA_ERROR_STREAM_CAPTURE_MERGE,
          CUresult.CUDA_ERROR_STREAM_CAPTURE_UNMATCHED,
          CUresult.CUDA_ERROR_STREAM_CAPTURE_UNJOINED,
          CUresult.CUDA_ERROR_STREAM_CAPTURE_ISOLATION,
          CUresult.CUDA_ERROR_STREAM_CAPTURE_IMPLICIT,
          CUresult.CUDA_ERROR_CAPTURED_EVENT,
          CUresult.CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD,
          CUresult.CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE,
          CUresult.CUDA_ERROR_INVALID_CLUSTER_SIZE ->
          Failure.REFUSED;
      default -> Failure.LOST;
    };
  }

  /** What to do about it, for the person on call. */
  static String advice(int status) {
    if (classOf(status) == Failure.LOST) {
      return "the device is lost to this process, which must end; look at `nvidia-smi -q` and the"
          + " kernel log (`dmesg`, lines with Xid)";
    }
    return switch (status) {
      case CUresult.CUDA_ERROR_OUT_OF_MEMORY ->
          "free memory on the device (`nvidia-smi` lists who holds it), admit fewer streams or use a"
              + " smaller model";
      case CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU, CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION ->
          "the kernels were built for other devices or a newer driver; needed are compute"
              + " capability 8.0 and driver 580 or later";
      case CUresult.CUDA_ERROR_SYSTEM_NOT_READY,
          CUresult.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH,
          CUresult.CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE ->
          "repair the driver's installation (`nvidia-smi` must work; a fabric manager may be missing)";
      default -> "the device is intact; this is a fault of the program: please report it";
    };
  }
}
