// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "io.everwatch.job", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule KNOWS_NO_DEVICE =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "jcuda..",
              "org.bytedeco.dnnl..",
              "io.everwatch.kernels.cuda..",
              "io.everwatch.kernels.cpu..")
          .because("back ends are found by ServiceLoader behind Backends");

  @ArchTest
  static final ArchRule A_CLUSTER_HAS_NO_COMMAND_LINE =
      noClasses()
          .that()
          .resideInAnyPackage(
              "io.everwatch.job.topology..",
              "io.everwatch.job.config..",
              "io.everwatch.job.broker..")
          .and()
          .doNotHaveSimpleName("EmbeddedBroker") // a broker is no part of a cluster's job
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "picocli..",
              "org.bytedeco..",
              "kafka..",
              "org.apache.kafka.metadata..",
              "org.apache.logging..",
              "org.eclipse.jetty..",
              "io.everwatch.job.camera..",
              "io.everwatch.job.cli..",
              "io.everwatch.job.demo..",
              "io.everwatch.job.scene..",
              "io.everwatch.job.wall..",
              "io.everwatch.job.world..")
          .because("flink run brings everwatch-job.jar alone, without these libraries");

  @ArchTest
  static final ArchRule FFMPEG_HAS_ONE_HOME =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.everwatch.job.camera..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.bytedeco..");

  @ArchTest
  static final ArchRule JETTY_HAS_ONE_HOME =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.everwatch.job.wall.http..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.eclipse.jetty..");

  @ArchTest
  static final ArchRule FLINK_IS_KNOWN_TO_THE_TOPOLOGY_ONLY =
      classes()
          .that()
          .resideOutsideOfPackage("io.everwatch.job.topology..")
          .should()
          .onlyDependOnClassesThat()
          .resideOutsideOfPackages(
              "org.apache.flink.streaming..",
              "org.apache.flink.connector..",
              "org.apache.flink.configuration..");
}
