// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(
    packages = "io.everwatch.kernels",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule KNOWS_NO_STREAMING =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.apache.flink..", "org.apache.avro..", "org.apache.kafka..");

  @ArchTest
  static final ArchRule KNOWS_NOTHING_ABOVE_IT =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.everwatch.operators..", "io.everwatch.schemas..", "io.everwatch.job..");

  @ArchTest
  static final ArchRule JCUDA_LIVES_IN_CUDA =
      noClasses()
          .that()
          .resideOutsideOfPackage("..kernels.cuda..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("jcuda..");

  @ArchTest
  static final ArchRule ONEDNN_LIVES_IN_CPU =
      noClasses()
          .that()
          .resideOutsideOfPackage("..kernels.cpu..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.bytedeco..");

  @ArchTest
  static final ArchRule BACK_ENDS_IGNORE_EACH_OTHER =
      noClasses()
          .that()
          .resideInAPackage("..kernels.cpu..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("..kernels.cuda..");

  @ArchTest
  static final ArchRule THE_CONTRACT_KNOWS_NO_BACK_END =
      noClasses()
          .that()
          .resideInAPackage("io.everwatch.kernels")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("..kernels.cpu..", "..kernels.cuda..");
}
