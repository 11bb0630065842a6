// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

/**
 * Two commentaries of one piece of video.
 *
 * @param id of the piece
 * @param video whose piece it is: pieces of one video hang together
 * @param reference what the human said
 */
record Pair(String id, String video, String reference, String a, String b) {}
