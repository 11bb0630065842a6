// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

/**
 * A picture whose headers were found in order and within the limits, without its metadata.
 *
 * @param format for messages
 */
record CheckedPicture(String format, byte[] bytes, int width, int height) {}
