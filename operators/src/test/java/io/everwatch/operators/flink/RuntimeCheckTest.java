// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.util.ChildFirstClassLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RuntimeCheckTest {
  @Test
  void knowsItsVersion() {
    assertThat(RuntimeCheck.version()).matches("\\d+\\.\\d+\\.\\d+.*");
  }

  @Test
  void acceptsTheRuntimeOfTheProcessInTheSameVersion() {
    assertThatCode(() -> RuntimeCheck.verify(UnderstandOperator.class, RuntimeCheck.version()))
        .doesNotThrowAnyException();
  }

  @Test
  void refusesARuntimeThatCameWithTheJob() throws Exception {
    URL runtime = UnderstandOperator.class.getProtectionDomain().getCodeSource().getLocation();
    try (URLClassLoader job =
        new ChildFirstClassLoader(
            new URL[] {runtime}, getClass().getClassLoader(), new String[0], error -> {})) {
      Class<?> operator = job.loadClass(UnderstandOperator.class.getName());

      assertThatThrownBy(() -> RuntimeCheck.verify(operator, RuntimeCheck.version()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("loaded from the job's jar")
          .hasMessageContaining("copy everwatch-runtime.jar into Flink's lib folder");
    }
  }

  @Test
  void refusesAnotherVersion() {
    assertThatThrownBy(() -> RuntimeCheck.verify(UnderstandOperator.class, "0.0.7"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("runtime 0.0.7")
        .hasMessageContaining(RuntimeCheck.version());
  }

  @Test
  void findsEveryRuntimeOnAClassPath(@TempDir Path dir) throws Exception {
    Path second = dir.resolve("io/everwatch/operators/flink/runtime.properties");
    Files.createDirectories(second.getParent());
    Files.writeString(second, "version=0.0.7");

    assertThat(RuntimeCheck.copies(getClass().getClassLoader())).hasSize(1);
    try (URLClassLoader loader =
        new URLClassLoader(new URL[] {dir.toUri().toURL()}, getClass().getClassLoader())) {
      assertThat(RuntimeCheck.copies(loader))
          .hasSize(2)
          .contains(second.toUri().toURL().toString());
    }
  }
}
