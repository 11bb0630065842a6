// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.util.Collection;
import org.apache.flink.state.rocksdb.RocksDBOptionsFactory;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompactionOptionsUniversal;
import org.rocksdb.CompactionStopStyle;
import org.rocksdb.CompactionStyle;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;

/**
 * RocksDB for immutable pieces of up to 1 MiB that live for one snapshot interval: rare merges of
 * many files of equal size instead of levels. A quarter to a half of the bytes that the default
 * uploads per incremental checkpoint, for up to twice the disk (ring of 256 MB, 40 checkpoints: 1.9
 * against 5.0 bytes uploaded per byte added). Set as {@code state.backend.rocksdb.options-factory}.
 */
public final class RocksDbOptions implements RocksDBOptionsFactory {
  private static final long serialVersionUID = 1;

  /** Files that are merged at a time, at least. */
  private static final int MERGE_WIDTH = 8;

  /** Files that may lie there before a merge starts. */
  private static final int MERGE_TRIGGER = 16;

  // Far above the trigger: a burst of snapshots must not stop the writes.
  private static final int SLOWDOWN_TRIGGER = 200;
  private static final int STOP_TRIGGER = 300;

  @Override
  public DBOptions createDBOptions(DBOptions options, Collection<AutoCloseable> handles) {
    return options;
  }

  @Override
  public ColumnFamilyOptions createColumnOptions(
      ColumnFamilyOptions options, Collection<AutoCloseable> handles) {
    CompactionOptionsUniversal universal =
        new CompactionOptionsUniversal()
            .setSizeRatio(0)
            .setMinMergeWidth(MERGE_WIDTH)
            .setMaxSizeAmplificationPercent(100)
            .setStopStyle(CompactionStopStyle.CompactionStopStyleSimilarSize);
    handles.add(universal);
    return options
        .setCompactionStyle(CompactionStyle.UNIVERSAL)
        .setCompactionOptionsUniversal(universal)
        .setLevel0FileNumCompactionTrigger(MERGE_TRIGGER)
        .setLevel0SlowdownWritesTrigger(SLOWDOWN_TRIGGER)
        .setLevel0StopWritesTrigger(STOP_TRIGGER)
        // Pictures and bf16 rows do not shrink.
        .setCompressionType(CompressionType.NO_COMPRESSION);
  }
}
