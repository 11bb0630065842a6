// SPDX-License-Identifier: Apache-2.0
/**
 * Qwen2.5-VL, written once on top of {@code kernels}: checkpoint, settings, tokenizer, chat
 * grammar, frame preprocessing, vision tower, decoder. Imports {@code kernels}, {@code
 * operators.cache}, Jackson and SLF4J.
 */
@NullMarked
package io.everwatch.operators.model;

import org.jspecify.annotations.NullMarked;
