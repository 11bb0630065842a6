// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.export;

/**
 * What an export came to.
 *
 * @param streams with an event in the interval
 * @param events of the interval
 * @param records that were read for it
 * @param unreadable those of them that were no text events
 */
public record ExportReport(int streams, long events, long records, long unreadable) {}
