// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * What sparse prefill attention did since the back end was opened; the difference of two of these
 * belongs to the steps between. Everything is counted once per layer. A span attended densely is
 * not in it, whether its selector said so or it had none.
 *
 * @param spans spans attended over chosen blocks
 * @param verticalSlash query heads that took this pattern
 * @param queryAware query heads that took this one
 * @param chosenCells cells of the grids that were visited, of all query heads
 * @param causalCells cells that dense attention would have visited
 * @param keptMass sum over the samples: the share of the probe's mass that lies in the blocks
 *     chosen for the last row block, before {@link FlexPrefill#denseLastRow}
 * @param keptSamples one per query head that was probed
 */
public record SparseCounters(
    long spans,
    long verticalSlash,
    long queryAware,
    long chosenCells,
    long causalCells,
    double keptMass,
    long keptSamples) {
  public static final SparseCounters NONE = new SparseCounters(0, 0, 0, 0, 0, 0, 0);

  /** What was added since {@code before}. */
  public SparseCounters since(SparseCounters before) {
    return new SparseCounters(
        spans - before.spans,
        verticalSlash - before.verticalSlash,
        queryAware - before.queryAware,
        chosenCells - before.chosenCells,
        causalCells - before.causalCells,
        keptMass - before.keptMass,
        keptSamples - before.keptSamples);
  }

  /** Share of the causal cells that were visited; 1 where there were none. */
  public double density() {
    return causalCells == 0 ? 1 : (double) chosenCells / causalCells;
  }

  /** Mean kept mass; 1 where nothing was sampled. */
  public double meanKeptMass() {
    return keptSamples == 0 ? 1 : keptMass / keptSamples;
  }
}
