// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints; the number is written once, in the parent POM. */
final class Version implements IVersionProvider {
  private static final String RESOURCE = "/io/everwatch/job/version.properties";

  @Override
  public String[] getVersion() throws IOException {
    return new String[] {
      "everwatch " + number(),
      "Java "
          + Runtime.version()
          + ", "
          + System.getProperty("os.name")
          + " "
          + System.getProperty("os.arch")
    };
  }

  /** The version of this build, such as {@code 0.1.0}. */
  static String number() throws IOException {
    Properties properties = new Properties();
    try (InputStream in = Version.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IOException(RESOURCE + " is missing; was the build complete?");
      }
      properties.load(in);
    }
    return properties.getProperty("version", "unknown");
  }
}
