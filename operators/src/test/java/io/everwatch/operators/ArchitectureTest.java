// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The arrows of this module: flink → engine → model → kernels, with chunk and cache pure. */
@AnalyzeClasses(
    packages = "io.everwatch.operators",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest static final ArchRule CHUNK_IMPORTS_ONLY_THE_JDK = isPure("..operators.chunk..");

  @ArchTest static final ArchRule CACHE_IMPORTS_ONLY_THE_JDK = isPure("..operators.cache..");

  @ArchTest
  static final ArchRule FLINK_LIVES_IN_ONE_PACKAGE =
      noClasses()
          .that()
          .resideOutsideOfPackage("..operators.flink..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.apache.flink..")
          .because("the engine runs in a main and in a unit test");

  @ArchTest
  static final ArchRule THE_WIRE_FORMAT_LIVES_IN_ONE_PACKAGE =
      noClasses()
          .that()
          .resideOutsideOfPackage("..operators.flink..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.everwatch.schemas..", "org.apache.avro..")
          .because("it can then change without touching the model");

  @ArchTest
  static final ArchRule KNOWS_NEITHER_KAFKA_NOR_THE_JOB =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.apache.kafka..", "io.everwatch.job..", "io.everwatch.benchmarks..");

  @ArchTest
  static final ArchRule KNOWS_NO_BACK_END =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "jcuda..",
              "org.bytedeco..",
              "io.everwatch.kernels.cpu..",
              "io.everwatch.kernels.cuda..")
          .because("back ends are found by ServiceLoader");

  @ArchTest
  static final ArchRule MODEL_IMPORTS_NOTHING_ABOVE_IT =
      noClasses()
          .that()
          .resideInAPackage("..operators.model..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "..operators.engine..",
              "..operators.chunk..",
              "..operators.flink..",
              "..operators.verify..");

  @ArchTest
  static final ArchRule ENGINE_IMPORTS_NEITHER_CHUNKS_NOR_WHAT_IS_ABOVE_IT =
      noClasses()
          .that()
          .resideInAPackage("..operators.engine..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("..operators.chunk..", "..operators.flink..", "..operators.verify..");

  @ArchTest
  static final ArchRule VERIFY_IMPORTS_NEITHER_CHUNKS_NOR_FLINK =
      noClasses()
          .that()
          .resideInAPackage("..operators.verify..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("..operators.chunk..", "..operators.flink..");

  @ArchTest
  static final ArchRule THE_OPERATOR_DOES_NOT_NEED_THE_FIXTURES =
      noClasses()
          .that()
          .resideInAPackage("..operators.flink..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("..operators.verify..");

  @ArchTest
  static final ArchRule NO_CIRCLE =
      slices().matching("io.everwatch.operators.(*)..").should().beFreeOfCycles();

  private static ArchRule isPure(String room) {
    return classes()
        .that()
        .resideInAPackage(room)
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(room, "java..", "org.jspecify.annotations..")
        .because("a policy is proved with integers, thousands of cases a second, no GPU");
  }
}
