// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

import org.apache.avro.util.ClassSecurityValidator;

/**
 * Avro 1.12.2 refuses to load generated classes that it was not told to trust. Telling it here, in
 * the static initialiser of whoever reads and writes, means that no JVM needs a flag for it.
 */
final class TrustedClasses {
  private static final String PACKAGE = "io.everwatch.schemas.avro";

  private TrustedClasses() {}

  /** Once per class loader; keeps what others have trusted before. */
  static void install() {
    ClassSecurityValidator.setGlobal(
        ClassSecurityValidator.composite(
            ClassSecurityValidator.getGlobal(), type -> type.getPackageName().equals(PACKAGE)));
  }
}
