// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;
import org.junit.platform.launcher.listeners.TestExecutionSummary.Failure;

/**
 * The build's own tests, on this machine's device: an item per test class of some packages. They
 * must be on the class path, with JUnit.
 */
final class TestsPart {
  private final List<String> packages;
  private final String only;
  private final String label;

  /**
   * @param packages whose classes {@code *Test} are run
   * @param only names of classes, as a regular expression
   * @param label before the names of the items; empty: none
   */
  TestsPart(List<String> packages, String only, String label) {
    this.packages = packages;
    this.only = only;
    this.label = label.isEmpty() ? "" : label + " ";
  }

  void run(Ledger ledger) {
    TreeSet<String> names = new TreeSet<>();
    packages.forEach(name -> names.addAll(classes(name)));
    names.removeIf(name -> !name.substring(name.lastIndexOf('.') + 1).matches(only));
    if (names.isEmpty()) {
      ledger.item(
          label + "tests",
          () -> {
            throw new IllegalStateException(
                "no test class of %s is on the class path; expected the build's test classes; build with mvn package, or unpack the bundle again"
                    .formatted(packages));
          });
    }
    for (String name : names) {
      ledger.item(label + name.substring(name.lastIndexOf('.') + 1), () -> run(name));
    }
  }

  static Map<String, Object> run(String name) throws ClassNotFoundException {
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(selectClass(Class.forName(name)))
            .build();
    SummaryGeneratingListener listener = new SummaryGeneratingListener();
    LauncherFactory.create().execute(request, listener);
    TestExecutionSummary summary = listener.getSummary();
    if (summary.getTotalFailureCount() > 0) {
      Failure first = summary.getFailures().get(0);
      throw new IllegalStateException(
          "%d of %d tests failed; the first, %s: %s"
              .formatted(
                  summary.getTotalFailureCount(),
                  summary.getTestsFoundCount(),
                  first.getTestIdentifier().getDisplayName(),
                  first.getException()),
          first.getException());
    }
    long passed = summary.getTestsSucceededCount();
    if (passed == 0) {
      throw new SkippedException(
          "none of its %d tests is for this device".formatted(summary.getTestsFoundCount()));
    }
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("tests", passed);
    figures.put("skipped", summary.getTestsSkippedCount() + summary.getTestsAbortedCount());
    return figures;
  }

  /** Names of the classes {@code *Test} of a package, in folders and jars. */
  static List<String> classes(String packageName) {
    List<String> names = new ArrayList<>();
    try {
      String path = packageName.replace('.', '/');
      for (URL url : Collections.list(TestsPart.class.getClassLoader().getResources(path))) {
        if (url.getProtocol().equals("jar")) {
          URI jar = URI.create(url.toString().substring(0, url.toString().indexOf('!')));
          try (FileSystem files = FileSystems.newFileSystem(jar, Map.of())) {
            names.addAll(tests(packageName, files.getPath(path)));
          }
        } else {
          names.addAll(tests(packageName, Path.of(URI.create(url.toString()))));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the class path cannot be searched for " + packageName, e);
    }
    return names;
  }

  private static List<String> tests(String packageName, Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> String.valueOf(file.getFileName()))
          .filter(name -> name.endsWith("Test.class") && !name.contains("$"))
          .map(name -> packageName + "." + name.substring(0, name.length() - ".class".length()))
          .toList();
    }
  }
}
