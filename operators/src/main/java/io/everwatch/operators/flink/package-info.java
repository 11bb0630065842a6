// SPDX-License-Identifier: Apache-2.0
/** The keyed operator, its state and serializers. Only place for Flink outside the job. */
@NullMarked
package io.everwatch.operators.flink;

import org.jspecify.annotations.NullMarked;
