// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.util.Collection;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.state.rocksdb.ConfigurableRocksDBOptionsFactory;
import org.apache.flink.state.rocksdb.RocksDBOptionsFactory;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompactionOptionsUniversal;
import org.rocksdb.CompactionStopStyle;
import org.rocksdb.CompactionStyle;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;

/**
 * RocksDB for immutable pieces of up to 1 MiB that live for one snapshot interval: rare merges of
 * many files instead of levels. Set as {@code state.backend.rocksdb.options-factory}.
 *
 * <p>Each checkpoint adds a file of each state; when there are {@link #MERGE_TRIGGER} of them, all
 * are merged, and what is live then is uploaded once more. With files of {@code c} seconds and
 * pieces that live for {@code s}, the trigger {@code n} costs {@code s / (n c)} further bytes per
 * byte written, and up to {@code n c / s} times the live bytes of disk, checkpoint and restore.
 */
public final class RocksDbOptions implements ConfigurableRocksDBOptionsFactory {
  private static final long serialVersionUID = 2;

  /** Files of a state that may lie there before they are merged. */
  public static final ConfigOption<Integer> MERGE_TRIGGER =
      ConfigOptions.key("everwatch.rocksdb.merge-trigger")
          .intType()
          .defaultValue(16)
          .withDescription("Files of a state that are there when they are merged.");

  /** Files that are merged at a time, at least. */
  private static final int MERGE_WIDTH = 8;

  // Far above the trigger: a burst of snapshots must not stop the writes.
  private static final int SLOWDOWN_TRIGGERS = 12;
  private static final int STOP_TRIGGERS = 18;

  private int trigger = MERGE_TRIGGER.defaultValue();

  @Override
  public RocksDBOptionsFactory configure(ReadableConfig flink) {
    trigger = flink.get(MERGE_TRIGGER);
    return this;
  }

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
        .setLevel0FileNumCompactionTrigger(trigger)
        .setLevel0SlowdownWritesTrigger(SLOWDOWN_TRIGGERS * trigger)
        .setLevel0StopWritesTrigger(STOP_TRIGGERS * trigger)
        // Pictures and bf16 rows do not shrink.
        .setCompressionType(CompressionType.NO_COMPRESSION);
  }
}
