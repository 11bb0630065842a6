// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * Whether a test has the device it needs; see {@link EnabledOnEmulation}, {@link RequiresDevice}.
 */
final class DeviceCondition implements ExecutionCondition, BeforeEachCallback, AfterEachCallback {
  private static final String REQUIRE = "everwatch.requireGpu";

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    if (Emulation.isPresent()) {
      return ConditionEvaluationResult.enabled("kernels run on the stand-in driver");
    }
    boolean onlyEmulated =
        AnnotationSupport.isAnnotated(context.getElement(), EnabledOnEmulation.class);
    if (CudaLibrary.emulation().isPresent()) {
      return skipped(
          onlyEmulated,
          "no stand-in driver in %s; `kernels/build-kernels.sh emu` builds it (needs g++)"
              .formatted(CudaLibrary.emulation().get()));
    }
    if (onlyEmulated) {
      return ConditionEvaluationResult.disabled("for the stand-in driver only, not for a real GPU");
    }
    CudaDriver driver = CudaDriver.probe();
    return driver.present()
        ? ConditionEvaluationResult.enabled(driver.detail())
        : skipped(false, driver.detail() + "; " + driver.advice());
  }

  private static ConditionEvaluationResult skipped(boolean onlyEmulated, String reason) {
    if (Boolean.getBoolean(REQUIRE) && !onlyEmulated) {
      throw new IllegalStateException(
          "-D%s=true, but there is no device: %s".formatted(REQUIRE, reason));
    }
    return ConditionEvaluationResult.disabled(reason);
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    Emulation.reset();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    Emulation.reset();
  }
}
