// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import java.util.Collection;
import org.apache.flink.state.rocksdb.RocksDBOptionsFactory;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompactionOptionsUniversal;
import org.rocksdb.CompactionStopStyle;
import org.rocksdb.CompactionStyle;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;

/**
 * RocksDB for state whose values are written once, read once and dropped: pieces of snapshots.
 * Universal compaction that merges late uploads 1.9 to 2.1 bytes per byte added where the default
 * uploads 5 to 8, for up to twice the disk (design note {@code flink.md} 5.1). Not compressed:
 * cached rows are floats and pictures are compressed already.
 */
public final class RowColumnOptions implements RocksDBOptionsFactory {
  private static final long serialVersionUID = 1;

  @Override
  public DBOptions createDBOptions(DBOptions current, Collection<AutoCloseable> toClose) {
    return current;
  }

  @Override
  public ColumnFamilyOptions createColumnOptions(
      ColumnFamilyOptions current, Collection<AutoCloseable> toClose) {
    CompactionOptionsUniversal late =
        new CompactionOptionsUniversal()
            .setSizeRatio(0)
            .setMinMergeWidth(8)
            .setMaxSizeAmplificationPercent(100)
            .setStopStyle(CompactionStopStyle.CompactionStopStyleSimilarSize);
    toClose.add(late);
    return current
        .setCompactionStyle(CompactionStyle.UNIVERSAL)
        .setCompactionOptionsUniversal(late)
        .setLevel0FileNumCompactionTrigger(16)
        .setLevel0SlowdownWritesTrigger(200)
        .setLevel0StopWritesTrigger(300)
        .setCompressionType(CompressionType.NO_COMPRESSION);
  }
}
