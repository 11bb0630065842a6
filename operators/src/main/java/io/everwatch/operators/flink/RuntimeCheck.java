// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import org.apache.flink.util.FlinkUserCodeClassLoader;

/**
 * Whether the runtime jar lies where it must: on the class path of the process. Inside the job jar
 * each job would load its own copy, and a second copy of a native library in one process cannot be
 * loaded.
 */
final class RuntimeCheck {
  private static final String RESOURCE = "runtime.properties";

  private RuntimeCheck() {}

  /** Version of the runtime that this class was loaded from. */
  static String version() {
    try (InputStream in = RuntimeCheck.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is missing in the runtime jar; build it anew");
      }
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version", "unknown");
    } catch (IOException e) {
      throw new UncheckedIOException(RESOURCE + " in the runtime jar is unreadable", e);
    }
  }

  /** Where a loader finds a runtime. */
  static List<String> copies(ClassLoader loader) {
    try {
      return Collections.list(
              loader.getResources(
                  RuntimeCheck.class.getPackageName().replace('.', '/') + "/" + RESOURCE))
          .stream()
          .map(URL::toString)
          .distinct()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException("the class path cannot be searched for " + RESOURCE, e);
    }
  }

  /**
   * Refuses to go on with a runtime that is in the wrong place or of another version.
   *
   * @param operator a class of the runtime, as the task manager loaded it
   * @param expected version of the runtime that the job was submitted with
   */
  static void verify(Class<?> operator, String expected) {
    if (operator.getClassLoader() instanceof FlinkUserCodeClassLoader) {
      throw new IllegalStateException(
          "everwatch-runtime.jar was loaded from the job's jar; expected on the class path of the"
              + " process, once for all jobs; copy everwatch-runtime.jar into Flink's lib folder on"
              + " each JobManager and TaskManager, restart them, and submit everwatch-job.jar, which"
              + " does not contain it");
    }
    List<String> copies = copies(RuntimeCheck.class.getClassLoader());
    if (copies.size() > 1) {
      throw new IllegalStateException(
          "everwatch-runtime.jar is on the class path of this TaskManager %d times (%s); expected once;"
                  .formatted(copies.size(), String.join(", ", copies))
              + " remove the others from Flink's lib folder and restart it");
    }
    String found = version();
    if (!found.equals(expected)) {
      throw new IllegalStateException(
          "the job was submitted with runtime %s, but this TaskManager has %s in its lib folder;"
                  .formatted(expected, found)
              + " expected the same; copy everwatch-runtime.jar of version %s into Flink's lib folder on"
                  .formatted(expected)
              + " each TaskManager and restart it");
    }
  }
}
