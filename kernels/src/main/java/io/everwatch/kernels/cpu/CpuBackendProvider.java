// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_gelu_erf;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_swish;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.BackendProvider;
import io.everwatch.kernels.DType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Offers {@code cpu}; runs everywhere, with plain products where the library cannot be loaded. */
public final class CpuBackendProvider implements BackendProvider {
  private static final Logger LOG = LoggerFactory.getLogger(CpuBackendProvider.class);

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public Availability availability() {
    try {
      OneDnn.load().close();
      return new Availability(
          true,
          "%s, %d cores".formatted(OneDnn.identity(), Runtime.getRuntime().availableProcessors()),
          "");
    } catch (LinkageError | RuntimeException e) {
      return new Availability(
          true,
          "plain Java, about ten times slower: oneDNN cannot be loaded (" + e + ")",
          advice());
    }
  }

  private static String advice() {
    return "the library needs Linux on x86-64 and a writable directory to unpack to; set"
        + " -Dorg.bytedeco.javacpp.cachedir to one";
  }

  @Override
  public Backend open(BackendOptions options) {
    if (options.dtype().orElse(DType.F32) != DType.F32 || options.device() != 0) {
      throw new IllegalArgumentException(
          "the back end 'cpu' was asked for type %s on device %d; it has F32 on device 0 only; leave both out, or use the back end 'cuda'"
              .formatted(options.dtype().orElse(DType.F32), options.device()));
    }
    CpuThreads threads = new CpuThreads(options.threads());
    if (!options.plainProducts()) {
      try {
        return withLibrary(OneDnn.load(), threads);
      } catch (LinkageError | RuntimeException e) {
        LOG.warn(
            "The CPU back end runs on plain Java products, about ten times slower: oneDNN cannot be"
                + " loaded ({}); {}.",
            e,
            advice());
      }
    }
    return new CpuBackend(
        threads,
        new PlainProducts(threads),
        new PlainAttention(threads.count()),
        new Elementwise(threads, Activation.plainSilu(), Activation.plainGelu()));
  }

  private static Backend withLibrary(OneDnn library, CpuThreads threads) {
    int count = threads.count();
    return new CpuBackend(
        threads,
        new OneDnnProducts(library, threads, new PlainProducts(threads)),
        new OneDnnAttention(library, count),
        new Elementwise(
            threads,
            new OneDnnActivation(library, count, dnnl_eltwise_swish),
            new OneDnnActivation(library, count, dnnl_eltwise_gelu_erf)));
  }
}
