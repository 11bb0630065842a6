// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.config;

/** Where Flink keeps state between checkpoints. */
public enum StateBackendKind {
  /** On the local disk, uploaded in increments. */
  ROCKSDB,
  /** On the heap, uploaded whole: for the demo and for a few streams of a small model. */
  HASHMAP
}
