// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * For tests that set the stand-in driver's orders, faults or limits. Skipped where kernels were not
 * compiled for it (no g++) and on a real GPU; every test begins and ends with its defaults.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@ExtendWith(DeviceCondition.class)
public @interface EnabledOnEmulation {}
