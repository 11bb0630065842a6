// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * For tests that launch kernels, on the stand-in driver or (with {@code -Dgpu=true}) on the
 * machine's GPU. Skipped where there is neither; with {@code -Deverwatch.requireGpu=true} that is a
 * failure.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@ExtendWith(DeviceCondition.class)
public @interface RequiresDevice {}
