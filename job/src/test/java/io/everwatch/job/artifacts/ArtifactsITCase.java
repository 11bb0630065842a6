// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.artifacts;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The three jars as they are shipped. */
class ArtifactsITCase {
  private static final Path ALL = Path.of("target/everwatch-all.jar");
  private static final Path JOB = Path.of("target/everwatch-job.jar");
  private static final Path RUNTIME = Path.of("../operators/target/everwatch-runtime.jar");
  private static final Path GPU_PLUGIN = Path.of("../operators/target/everwatch-gpu.jar");

  @TempDir private Path dir;

  @Test
  void jobSharesNoClassWithTheRuntime() throws Exception {
    assertThat(classes(JOB)).isNotEmpty().doesNotContainAnyElementsOf(classes(RUNTIME));
  }

  @Test
  void runtimeCarriesSchemasKernelsOperatorsNativesAndTheModel() throws Exception {
    assertThat(entries(RUNTIME))
        .contains(
            "io/everwatch/schemas/avro/TextEvent.class",
            "io/everwatch/kernels/cpu/CpuBackend.class",
            "io/everwatch/operators/flink/UnderstandOperatorFactory.class",
            "io/everwatch/models/everwatch-tiny/model.safetensors",
            "org/bytedeco/dnnl/linux-x86_64/libdnnl.so.3",
            "lib/libJCudaDriver-12.6.0-linux-x86_64.so")
        .noneMatch(name -> name.startsWith("org/apache/flink/") || name.startsWith("org/slf4j/"));
  }

  /** A plugin has a class loader of its own, which must not load natives or an engine again. */
  @Test
  void theGpuPluginCarriesItsDriverAndNothingElseOfTheRuntime() throws Exception {
    assertThat(classes(GPU_PLUGIN))
        .contains("io/everwatch/operators/flink/gpu/GpuDriverFactory.class")
        .allMatch(name -> name.startsWith("io/everwatch/operators/flink/gpu/"));
    assertThat(entries(GPU_PLUGIN))
        .contains(
            "META-INF/services/org.apache.flink.api.common.externalresource.ExternalResourceDriverFactory");
  }

  @Test
  void jobCarriesTheConnectorsAndNoCommandLineLibraries() throws Exception {
    assertThat(classes(JOB))
        .contains(
            "io/everwatch/job/topology/EverwatchJob.class",
            "org/apache/flink/connector/kafka/source/KafkaSource.class",
            "org/apache/flink/connector/base/DeliveryGuarantee.class")
        .noneMatch(name -> name.startsWith("picocli/") || name.startsWith("kafka/"))
        .noneMatch(name -> name.startsWith("org/eclipse/jetty/"));
  }

  @Test
  void allSaysUnderWhichLicenceItShipsFfmpeg() throws Exception {
    try (JarFile jar = new JarFile(ALL.toFile());
        InputStream notice = jar.getInputStream(jar.getJarEntry("META-INF/NOTICE"))) {
      assertThat(new String(notice.readAllBytes(), StandardCharsets.UTF_8))
          .contains("FFmpeg", "Lesser", "ffmpeg.org");
    }
  }

  @Test
  void allShowsItsHelp() throws Exception {
    Processes.Finished help = Processes.java(dir, Duration.ofSeconds(30), "-jar", all(), "--help");

    assertThat(help.status()).as(help.err()).isZero();
    assertThat(help.out()).contains("demo", "run", "camera", "watch", "doctor");
  }

  @Test
  void doctorFindsThisMachineFit() throws Exception {
    Processes.Finished doctor = Processes.java(dir, Duration.ofMinutes(1), "-jar", all(), "doctor");

    assertThat(doctor.status()).as(doctor.out() + doctor.err()).isZero();
    assertThat(doctor.out())
        .contains("java", "cpu", "slots", "model", "instruction", "streaming.json");
  }

  @Test
  void theDemoSpeaksWithinItsTenSecondsAndLeavesNothingBehind() throws Exception {
    Processes.Finished demo =
        Processes.java(
            dir,
            Duration.ofMinutes(2),
            "-jar",
            all(),
            "demo",
            "--json",
            "--cameras",
            "2",
            "--duration",
            "10s");

    assertThat(demo.status()).as(demo.err()).isZero();
    List<String> lines = demo.out().lines().toList();
    JsonNode event = new JsonMapper().readTree(lines.get(0));
    assertThat(event.path("streamId").asText()).startsWith("camera-");
    assertThat(event.path("lagMillis").isIntegralNumber()).isTrue();
    JsonNode summary = new JsonMapper().readTree(lines.get(lines.size() - 1)).path("summary");
    assertThat(summary.path("events").asLong()).isEqualTo(lines.size() - 1L).isGreaterThan(9);
    assertThat(summary.path("errors").asLong()).isZero();
    assertThat(summary.path("gaps").asLong()).isZero();
    assertThat(summary.path("changed").asLong()).isZero();
    assertThat(summary.path("deadLetters").asLong()).isZero();
    assertThat(summary.path("committed").path("count").asLong())
        .as("each event is committed once")
        .isEqualTo(summary.path("live").path("count").asLong());
    assertThat(dir)
        .isDirectoryNotContaining(
            path -> String.valueOf(path.getFileName()).startsWith("everwatch-demo"));
  }

  private static String all() {
    return ALL.toAbsolutePath().toString();
  }

  private static Set<String> classes(Path jar) throws IOException {
    return entries(jar).stream()
        .filter(name -> name.endsWith(".class"))
        .collect(Collectors.toSet());
  }

  private static Set<String> entries(Path jar) throws IOException {
    try (JarFile file = new JarFile(jar.toFile())) {
      return file.stream().map(ZipEntry::getName).collect(Collectors.toSet());
    }
  }
}
