// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(
    packages = "io.everwatch.schemas",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule KNOWS_THE_JDK_AVRO_AND_KAFKA_ONLY =
      classes()
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..",
              "io.everwatch.schemas..",
              "org.apache.avro..",
              "org.apache.kafka..",
              "org.jspecify..",
              "org.slf4j..");

  @ArchTest
  static final ArchRule KAFKA_IS_OPTIONAL_FOR_ALL_BUT_THE_READER =
      noClasses()
          .that()
          .doNotHaveSimpleName("TextEventReader")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.apache.kafka..");
}
