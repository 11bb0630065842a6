// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/** Memory of a device in bytes: what is free now, of all. */
public record DeviceSpace(long free, long total) {}
