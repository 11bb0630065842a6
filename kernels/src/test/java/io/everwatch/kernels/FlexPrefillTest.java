// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Settings of sparse prefill, and what follows from them and the lengths. */
class FlexPrefillTest {
  private static FlexPrefill budgets(int block, int least, int most) {
    return new FlexPrefill(block, 0.9, 0.1, least, most, false);
  }

  @ParameterizedTest(name = "block {0}, floor of {1} tokens: {2} blocks")
  @CsvSource({
    "128,1,1",
    "128,128,1",
    "128,129,2",
    "128,1024,8",
    "32,65,3",
    "96,2147483647,22369622"
  })
  void theFloorIsRoundedUpToBlocks(int block, int tokens, int blocks) {
    assertThat(budgets(block, tokens, 0).minBlocks()).isEqualTo(blocks);
  }

  @ParameterizedTest(name = "cap of {0} tokens, {1} blocks in all: {2}")
  @CsvSource({"0,7,7", "1,7,1", "128,7,1", "129,7,2", "100000,7,7"})
  void theCapIsRoundedUpToBlocksAndNeverAboveAll(int tokens, int blocks, int most) {
    assertThat(budgets(128, 128, tokens).maxBlocks(blocks)).isEqualTo(most);
  }

  @ParameterizedTest(name = "block {0}, floor {1}, {2} queries of {3} keys: dense {4}")
  @CsvSource({
    "128,1024,1,100000,true", // decoding
    "128,1024,1024,1024,true",
    "128,1024,2,1025,false",
    "128,1,256,256,true", // two blocks
    "128,1,257,257,false",
    "32,96,96,96,true",
    "32,97,128,128,true",
    "32,97,129,129,false",
    "128,2147483647,2,2147483647,true" // the floor in tokens is above any length
  })
  void fewKeysAreAttendedDensely(int block, int floor, int queries, int keys, boolean dense) {
    assertThat(budgets(block, floor, 0).isDense(queries, keys)).isEqualTo(dense);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -32, 16, 48, 100, 160, 256})
  void refusesOtherBlocks(int block) {
    assertThatThrownBy(() -> budgets(block, 64, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("block is " + block, "multiple of 32");
    assertThatThrownBy(() -> new ChosenBlocks(block, java.util.List.of()))
        .hasMessageContaining("block is " + block);
  }

  @ParameterizedTest
  @CsvSource({
    "0,0.1,64,0,gamma is 0.0",
    "1,0.1,64,0,gamma is 1.0",
    "NaN,0.1,64,0,gamma is NaN",
    "0.9,-0.1,64,0,tau is -0.1",
    "0.9,1.1,64,0,tau is 1.1",
    "0.9,NaN,64,0,tau is NaN",
    "0.9,0.1,0,0,min budget is 0",
    "0.9,0.1,64,-1,max budget is -1"
  })
  void refusesValuesOutsideTheirRange(
      double gamma, double tau, int least, int most, String message) {
    assertThatThrownBy(() -> new FlexPrefill(128, gamma, tau, least, most, false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll(message, "expected");
  }

  @Test
  void thePublishedSettingsAreTheDefault() {
    assertThat(FlexPrefill.DEFAULT).isEqualTo(new FlexPrefill(128, 0.9, 0.1, 1024, 0, false));
  }
}
