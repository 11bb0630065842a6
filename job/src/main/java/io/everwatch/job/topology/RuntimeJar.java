// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Pattern;
import org.apache.flink.util.ExceptionUtils;

/**
 * Whether everwatch-runtime.jar lies where it must: once, beside Flink, in the job's version. Names
 * no class of the runtime, so that it can say so when there is none. The TaskManagers look for
 * themselves ({@code RuntimeCheck}); this is the process that submits, or the JobManager.
 */
final class RuntimeJar {
  private static final String RUNTIME = "io/everwatch/operators/flink/runtime.properties";
  private static final String JOB = "io/everwatch/job/version.properties";
  private static final String WHERE =
      "copy it into Flink's lib folder on each JobManager and TaskManager and where the job is"
          + " submitted from, and restart them";

  static final String NOT_ON_THE_CLUSTER =
      "the JobManager cannot load classes of the runtime: everwatch-runtime.jar is on the class path"
          + " here and not there; "
          + WHERE;

  /** As Flink's answers quote it, over REST too. */
  private static final Pattern NOT_LOADED =
      Pattern.compile("(?:ClassNotFoundException|NoClassDefFoundError): io[./]everwatch[./]");

  private RuntimeJar() {}

  /** Whether a submission failed because the other side has no runtime. */
  static boolean missing(Exception submission) {
    return NOT_LOADED.matcher(ExceptionUtils.stringifyException(submission)).find();
  }

  /**
   * What is wrong with the class path as this loader sees it; empty when nothing is.
   *
   * @param loader of the job's classes
   */
  static List<String> problems(ClassLoader loader) {
    List<URL> found = resources(loader, RUNTIME);
    String expected = version(resources(loader, JOB).get(0));
    List<String> problems = new ArrayList<>();
    if (found.isEmpty()) {
      problems.add(
          "everwatch-runtime.jar is not on the class path; expected version %s; %s"
              .formatted(expected, WHERE));
      return problems;
    }
    if (found.size() > 1) {
      problems.add(
          "everwatch-runtime.jar is on the class path %d times: %s; expected once, beside Flink; remove"
                  .formatted(found.size(), jars(found))
              + " the others (the job's jar contains none: everwatch-job.jar)");
    } else if (jar(found.get(0)).equals(jar(resources(loader, JOB).get(0)))
        && loader != ClassLoader.getSystemClassLoader()) {
      problems.add(
          "the submitted jar %s contains the runtime, so that each job would load native libraries of its"
                  .formatted(jar(found.get(0)))
              + " own; expected everwatch-job.jar, and everwatch-runtime.jar beside Flink; "
              + WHERE);
    }
    String version = version(found.get(0));
    if (!version.equals(expected)) {
      problems.add(
          "everwatch-job.jar is of version %s, everwatch-runtime.jar (%s) of version %s; expected the same;"
                  .formatted(expected, jar(found.get(0)), version)
              + " submit the job's jar of that version, or replace the runtime's: "
              + WHERE);
    }
    return problems;
  }

  private static List<URL> resources(ClassLoader loader, String name) {
    try {
      Map<String, URL> found = new LinkedHashMap<>(); // a jar may stand on a class path twice
      for (URL resource : Collections.list(loader.getResources(name))) {
        found.putIfAbsent(resource.toString(), resource);
      }
      return List.copyOf(found.values());
    } catch (IOException e) {
      throw new IllegalStateException("the class path cannot be searched for " + name, e);
    }
  }

  private static String version(URL resource) {
    Properties properties = new Properties();
    try (InputStream in = resource.openStream()) {
      properties.load(in);
    } catch (IOException e) {
      throw new IllegalStateException(resource + " cannot be read; copy that jar anew", e);
    }
    return properties.getProperty("version", "unknown");
  }

  private static String jars(List<URL> resources) {
    return String.join(", ", resources.stream().map(RuntimeJar::jar).toList());
  }

  /** The jar or folder in which a resource lies. */
  private static String jar(URL resource) {
    return resource
        .toString()
        .replaceFirst("^jar:", "")
        .replaceFirst("^file:", "")
        .replaceFirst("!?/io/everwatch/.*$", "");
  }
}
