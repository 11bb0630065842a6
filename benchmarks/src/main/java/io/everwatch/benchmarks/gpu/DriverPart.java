// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.cuda.DeviceProbe;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The driver: are its entry points there, what does it say, what do copies and launches cost? */
final class DriverPart {
  /** Page-locked memory that is copied. */
  private static final int PINNED_BYTES = 256 << 20;

  private final Check check;

  DriverPart(Check check) {
    this.check = check;
  }

  void run(Ledger ledger) {
    ledger.item("entry points", DriverPart::entryPoints);
    ledger.item("device", this::device);
    ledger.item("copies", this::copies);
    ledger.item("opening", this::opening);
    ledger.item("launches", this::launches);
  }

  /** What JCuda's library wants of the driver's, read from both files. */
  private static Map<String, Object> entryPoints() throws IOException {
    Backends.providers().forEach(provider -> provider.availability()); // loads both
    String binding = String.valueOf(mapped("libJCudaDriver").getFileName());
    Path driver = mapped("libcuda.so");
    Set<String> wanted =
        new TreeSet<>(ElfFile.of(binding, resource("/lib/" + binding)).undefined());
    wanted.removeIf(name -> !name.startsWith("cu"));
    Set<String> missing = new TreeSet<>(wanted);
    missing.removeAll(ElfFile.open(driver).defined());
    if (wanted.isEmpty() || !missing.isEmpty()) {
      throw new IllegalStateException(
          "%s lacks %d of %d entry points: %s; expected all; install NVIDIA's driver, release 580 or later"
              .formatted(driver, missing.size(), wanted.size(), missing));
    }
    return Map.of("entryPoints", wanted.size());
  }

  /** Its file is gone once it is loaded. */
  private static byte[] resource(String name) throws IOException {
    try (InputStream in = DriverPart.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(
            name + " is not on the class path; expected JCuda's natives; build the jars anew");
      }
      return in.readAllBytes();
    }
  }

  /** The file from which a library of this process was loaded. */
  private static Path mapped(String name) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/maps")).stream()
        .filter(line -> line.contains("/") && line.contains(name))
        .map(line -> Path.of(line.substring(line.indexOf('/')).replace(" (deleted)", "")))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalStateException(
                    name + " is not loaded; expected the CUDA driver; nvidia-smi must work"));
  }

  private Map<String, Object> device() {
    try (DeviceProbe probe = DeviceProbe.open(check.device().index())) {
      return probe.describe();
    }
  }

  private Map<String, Object> copies() {
    int pinned = (int) Math.min(PINNED_BYTES, check.shapes().copyBytes());
    int samples = check.timing().samples();
    Map<String, Object> figures = new LinkedHashMap<>();
    try (DeviceProbe probe = DeviceProbe.open(check.device().index())) {
      figures.put("copyGbPerSecond", copyBandwidth(probe, check) / 1e9);
      figures.put("uploadGbPerSecond", probe.uploadBytesPerSecond(pinned, samples) / 1e9);
      figures.put("downloadGbPerSecond", probe.downloadBytesPerSecond(pinned, samples) / 1e9);
    }
    return figures;
  }

  /** Bytes per second: the limit of all that is bound by memory. */
  static double copyBandwidth(DeviceProbe probe, Check check) {
    return probe.copyBytesPerSecond(check.shapes().copyBytes(), check.timing().samples());
  }

  /** Context, modules and, on a device newer than the binaries, their compilation. */
  private Map<String, Object> opening() {
    long begin = System.nanoTime();
    try (Backend backend = check.open()) {
      return Map.of(
          "openMillis", (System.nanoTime() - begin) / 1e6, "numerics", backend.numerics());
    }
  }

  /** The smallest operation that there is, launched alone. */
  private Map<String, Object> launches() {
    try (Backend backend = check.open();
        Arena arena = backend.arena()) {
      DeviceBuffer buffer = arena.allocate(1, 8);
      backend.upload(new float[8], 0, 8, buffer);
      Timing.Result result =
          check.timing().of(i -> backend.gelu(buffer, 8), () -> rest(backend, buffer));
      return Map.of("launchMicros", result.medianNanos() / 1e3, "spread", result.spread());
    }
  }

  /** Returns when the device has done all that it was asked. */
  static void rest(Backend backend, DeviceBuffer any) {
    backend.download(any, 0, new float[1], 0, 1);
  }
}
