// SPDX-License-Identifier: Apache-2.0
/**
 * The GPUs of a TaskManager as an external resource of Flink. Packed alone as the plugin {@code
 * everwatch-gpu.jar}, whose class loader sees Flink and nothing of ours: so it imports only the JDK
 * and Flink.
 */
@NullMarked
package io.everwatch.operators.flink.gpu;

import org.jspecify.annotations.NullMarked;
