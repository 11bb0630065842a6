// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

/**
 * One comparison.
 *
 * @param group folder of the fixtures
 * @param name case, and which of its results
 * @param worst size of the difference as its limit measures it, or number of differences; NaN when
 *     there was no result
 * @param limit what {@code worst} may be
 * @param detail what differs, or the failure; may be empty
 */
public record GoldenResult(
    String group, String name, double worst, double limit, boolean passed, String detail) {}
