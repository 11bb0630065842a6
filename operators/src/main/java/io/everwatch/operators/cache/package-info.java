// SPDX-License-Identifier: Apache-2.0
/**
 * What a stream remembers: an ordered list of segment slices, the policy that edits it and the
 * positions that follow from it. Pure functions on integers; imports the JDK only.
 */
@NullMarked
package io.everwatch.operators.cache;

import org.jspecify.annotations.NullMarked;
