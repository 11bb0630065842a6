// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

/** Placeholder until the assembler is written. */
public record AssemblerState<P>() {}
