// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

/** K and V of one head over rows {@code [first, first + rows)} of a copy. */
record KvWindow(KvCopy copy, int layer, int kvHead, int first, int rows) {}
