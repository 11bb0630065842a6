// SPDX-License-Identifier: Apache-2.0
/**
 * The tensor operations of the model, on two back ends behind one interface. Knows nothing of
 * video, text, Avro, Kafka or Flink; imports the JDK and SLF4J.
 */
@NullMarked
package io.everwatch.kernels;

import org.jspecify.annotations.NullMarked;
