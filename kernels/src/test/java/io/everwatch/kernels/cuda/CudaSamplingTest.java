// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.kernels.CounterRandom;
import io.everwatch.kernels.Draw;
import io.everwatch.kernels.Sampler;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.SamplingRules;
import io.everwatch.kernels.cuda.SamplingStage.Case;
import io.everwatch.kernels.cuda.SamplingStage.Chosen;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokens chosen on the device against {@link SamplingRules} and {@link Sampler}. */
@RequiresDevice
class CudaSamplingTest {
  private static final long SEED = 20251120;
  private static final SamplingRules GREEDY = new SamplingRules(1, 0, 0, 1);

  /** f32 exponentials against double ones, in weights of at most 1. */
  private static final double LIMIT = 1e-6;

  private static final List<SamplingRules> RULES =
      List.of(
          GREEDY,
          new SamplingRules(1.05f, 0, 0, 1),
          new SamplingRules(1, 1, 0, 1),
          new SamplingRules(1.3f, 0.7f, 0, 1),
          new SamplingRules(1, 0.9f, 1, 1),
          new SamplingRules(1, 0.9f, 20, 1),
          new SamplingRules(1, 1, 700, 1),
          new SamplingRules(1, 1.5f, 0, 0.5f),
          new SamplingRules(1, 1, 0, 1e-6f),
          new SamplingRules(1.05f, 0.9f, 20, 0.95f),
          new SamplingRules(1, 1e-6f, 5, 0.9f));

  private static Chosen on(CudaDevice device, Function<SamplingStage, Chosen> body) {
    try (SamplingStage stage = new SamplingStage(device)) {
      return body.apply(stage);
    }
  }

  /** One case for each set of rules, over logits of that width with ties. */
  private static List<Case> cases(int width) {
    List<Case> cases = new ArrayList<>();
    for (int i = 0; i < RULES.size(); i++) {
      float[] logits = Samples.gaussian(SEED + i, width);
      for (int id = 0; id < width; id++) {
        logits[id] = Math.round(logits[id] * 100) / 25f;
      }
      int[] seen = new Random(SEED + i).ints(0, width).distinct().limit(width / 3).toArray();
      cases.add(new Case(logits, RULES.get(i), i, seen));
    }
    return cases;
  }

  private static BitSet drawable(int width) {
    BitSet ids = SamplingStage.all(Math.max(1, width - width / 9));
    for (int id = 5; id < width; id += 13) {
      ids.clear(id);
    }
    return ids;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 31, 33, 997, 4097, 9001})
  void probabilitiesAndTokensAreThoseOfTheReference(int width) {
    List<Case> cases = cases(width);
    BitSet drawable = drawable(width);
    Chosen[] chosen = new Chosen[1];

    EveryOrder.run(
        device -> {
          chosen[0] = on(device, stage -> stage.choose(cases, drawable));
          return chosen[0].flat();
        });

    for (int i = 0; i < cases.size(); i++) {
      check(cases.get(i), drawable, chosen[0].tokens()[i], chosen[0].probabilities()[i]);
    }
  }

  private static void check(Case one, BitSet drawable, int token, float[] probabilities) {
    String what = one.rules().toString();
    float[] scores = Arrays.copyOf(one.logits(), drawable.length());
    for (int id = 0; id < scores.length; id++) {
      scores[id] = drawable.get(id) ? scores[id] : Float.NEGATIVE_INFINITY;
    }
    one.rules().score(scores, SamplingRules.distinct(one.seen()));
    if (one.rules().greedy()) {
      assertThat(token).as(what).isEqualTo(SamplingRules.argMax(scores));
      return;
    }
    float[] expected = SamplingRules.probabilities(scores);
    double before = 0;
    for (int id = 0; id < probabilities.length; id++) {
      double wanted = id < expected.length ? expected[id] : 0;
      assertThat(Math.abs(probabilities[id] - wanted))
          .as("%s: id %d has %s, not %s", what, id, probabilities[id], wanted)
          .isLessThanOrEqualTo(LIMIT);
      boolean kept = id < expected.length && scores[id] != Float.NEGATIVE_INFINITY;
      if (wanted > 1e-9 || !kept) { // less may be nothing in multiples of 2^-40
        assertThat(probabilities[id] > 0).as("%s: whether %d is kept", what, id).isEqualTo(kept);
      }
      before += id < token ? wanted : 0;
    }
    Draw draw = one.draw();
    double uniform = CounterRandom.uniform(draw.seed(), draw.round(), draw.token());
    double places = expected.length * 1e-7; // probabilities are rounded to float32
    assertThat(before).as(what).isLessThanOrEqualTo(uniform + places);
    assertThat(before + expected[token]).as(what).isGreaterThanOrEqualTo(uniform - places);
  }

  @Test
  void fixturesOfThePublishedModelHold() throws Exception {
    for (GoldenSampling golden : GoldenSampling.read()) {
      Case one = new Case(golden.logits(), golden.rules(), 1, golden.seen());
      Chosen chosen = once(stage -> stage.choose(List.of(one)));
      float[] actual = chosen.probabilities()[0];
      for (int id = 0; id < actual.length; id++) {
        float wanted = golden.probabilities()[id];
        assertThat(Math.abs(actual[id] - wanted))
            .as("%s: id %d", golden.name(), id)
            .isLessThanOrEqualTo((float) LIMIT);
        boolean kept = Float.isFinite(golden.scores()[id]);
        if (wanted > 1e-9 || !kept) {
          assertThat(actual[id] > 0)
              .as("%s: whether %d is kept", golden.name(), id)
              .isEqualTo(kept);
        }
      }
    }
  }

  /** One device, forward order. */
  private static Chosen once(Function<SamplingStage, Chosen> body) {
    try (CudaDevice device = CudaDevice.open(0)) {
      return on(device, body);
    }
  }

  @Test
  void everyDrawIsWithinTheTokensOwnShare() {
    float[] logits = Samples.gaussian(SEED, 500);
    SamplingRules rules = new SamplingRules(1, 1.2f, 40, 0.9f);
    List<Case> cases = new ArrayList<>();
    for (int token = 0; token < 64; token++) {
      cases.add(new Case(logits, rules, token));
    }
    Chosen chosen = once(stage -> stage.choose(cases));
    for (int i = 0; i < cases.size(); i++) {
      check(cases.get(i), SamplingStage.all(500), chosen.tokens()[i], chosen.probabilities()[i]);
      int reference = Sampler.next(logits.clone(), new int[0], new BitSet(), cases.get(i).draw());
      assertThat(chosen.tokens()[i]).isEqualTo(reference);
    }
    assertThat(Arrays.stream(chosen.tokens()).distinct().count()).isGreaterThan(5);
  }

  @Test
  void aRowsTokenDoesNotDependOnTheBatch() {
    List<Case> all = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      all.add(
          new Case(
              Samples.gaussian(SEED + i, 4100), RULES.get(i % RULES.size()), i, i, i + 1, i + 2));
    }
    Chosen together = once(stage -> stage.choose(all));
    for (int others : new int[] {0, 1, 7}) {
      int first = 63 - others;
      Chosen few = once(stage -> stage.choose(all.subList(first, 64)));
      for (int i = first; i < 64; i++) {
        assertThat(few.tokens()[i - first]).isEqualTo(together.tokens()[i]);
        EveryOrder.assertSameBits(
            together.probabilities()[i], few.probabilities()[i - first], others + " others");
      }
    }
  }

  @Test
  void tiesGoToTheLowestIdAndTopPDropsTheLowestFirst() {
    float[] equal = new float[4200];
    float[] pair = new float[4200];
    Arrays.fill(pair, -50);
    pair[4099] = 3;
    pair[4] = 3;
    Chosen chosen =
        once(
            stage ->
                stage.choose(
                    List.of(
                        new Case(equal, GREEDY, 0),
                        new Case(pair, GREEDY, 0),
                        new Case(equal, new SamplingRules(1, 1, 7, 1), 0),
                        new Case(equal, new SamplingRules(1, 1, 0, 0.25f), 0),
                        new Case(pair, new SamplingRules(1, 1, 0, 0.4f), 0))));
    assertThat(chosen.tokens()).startsWith(0, 4);
    assertThat(kept(chosen, 2)).as("scores equal to the k-th stay").isEqualTo(4200);
    assertThat(kept(chosen, 3)).isEqualTo(1050);
    assertThat(chosen.probabilities()[3][3149]).isZero();
    assertThat(chosen.probabilities()[3][3150]).isPositive();
    assertThat(chosen.tokens()[4]).isEqualTo(4099);
  }

  private static int kept(Chosen chosen, int row) {
    int kept = 0;
    for (float probability : chosen.probabilities()[row]) {
      kept += probability > 0 ? 1 : 0;
    }
    return kept;
  }

  @Test
  void aRowThatIsNotFiniteIsRefusedAndHarmsNoOther() {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      float[] good = Samples.gaussian(SEED, 5000);
      float[] spoilt = good.clone();
      spoilt[4999] = bad;
      float[] beyond = good.clone();
      beyond[17] = bad; // may not be drawn
      BitSet drawable = SamplingStage.all(5000);
      drawable.clear(17);
      List<Case> cases = new ArrayList<>();
      for (float[] logits : List.of(good, spoilt, beyond)) {
        cases.add(new Case(logits, GREEDY, 0));
        cases.add(new Case(logits, new SamplingRules(1, 1, 20, 0.9f), 0));
      }
      int[] tokens = once(stage -> stage.choose(cases, drawable)).tokens();
      assertThat(tokens).contains(-1, org.assertj.core.data.Index.atIndex(2));
      assertThat(tokens).contains(-1, org.assertj.core.data.Index.atIndex(3));
      assertThat(tokens[4]).isEqualTo(tokens[0]).isNotNegative();
      assertThat(tokens[5]).isEqualTo(tokens[1]).isNotNegative();
    }
  }

  @Test
  void idsThatAreFedCountAsSeenWithThoseGivenFirst() {
    SamplingRules rules = new SamplingRules(2, 0, 0, 1);
    float[] logits = new float[40];
    logits[2] = 9;
    logits[35] = 8;
    logits[5] = 7;
    List<Case> one = List.of(new Case(logits, rules, 0));
    int[] tokens = new int[5];

    float[] bits =
        EveryOrder.run(
            device -> {
              try (SamplingStage stage = new SamplingStage(device);
                  CudaVocabulary ids = stage.sampling.vocabulary(40, SamplingStage.all(40));
                  CudaContext other = stage.context()) {
                try (CudaContext context = stage.context(2)) {
                  tokens[0] = stage.prefill(ids, context, 3, one).tokens()[0];
                  tokens[1] = stage.decode(ids, List.of(context), new int[] {35}, one).tokens()[0];
                  tokens[2] =
                      stage.decode(
                              ids,
                              List.of(other, context),
                              new int[] {2, 5},
                              List.of(one.get(0), one.get(0)))
                          .tokens()[0];
                  context.seen(new int[] {35});
                  tokens[3] = stage.decode(ids, List.of(context), new int[] {2}, one).tokens()[0];
                }
                try (CudaContext after = stage.context()) { // gets the set of the one before
                  tokens[4] = stage.prefill(ids, after, 1, one).tokens()[0];
                }
              }
              return new float[] {tokens[0], tokens[1], tokens[2], tokens[3], tokens[4]};
            });

    assertThat(bits).containsExactly(35, 5, 35, 5, 2);
  }

  @Test
  void severalRowsOfAPromptAreChosenByTheSameSet() {
    SamplingRules rules = new SamplingRules(2, 0, 0, 1);
    float[] logits = new float[70];
    logits[66] = 9;
    logits[1] = 8;
    Case one = new Case(logits, rules, 0);
    try (CudaDevice device = CudaDevice.open(0);
        SamplingStage stage = new SamplingStage(device);
        CudaVocabulary ids = stage.sampling.vocabulary(70, SamplingStage.all(70));
        CudaContext context = stage.context(66)) {
      assertThat(stage.prefill(ids, context, 4, List.of(one, one, one)).tokens())
          .containsExactly(1, 1, 1);
    }
  }

  @Test
  void namesWhatDoesNotFit() {
    try (CudaDevice device = CudaDevice.open(0);
        SamplingStage stage = new SamplingStage(device)) {
      assertThatThrownBy(() -> stage.sampling.vocabulary(4, new BitSet()))
          .hasMessageContaining("0 ids may be drawn");
      assertThatThrownBy(() -> stage.sampling.vocabulary(4, SamplingStage.all(5)))
          .hasMessageContainingAll("the last is 4", "4 logits");
      try (CudaVocabulary narrow = stage.sampling.vocabulary(4, SamplingStage.all(4));
          CudaContext context = stage.context()) {
        List<Case> two =
            List.of(new Case(new float[4], GREEDY, 0), new Case(new float[4], GREEDY, 0));
        assertThatThrownBy(() -> stage.decode(narrow, List.of(context), new int[1], two))
            .hasMessageContaining("2 draws for 1 rows");
        stage.decode(narrow, List.of(context), new int[1], two.subList(0, 1));
        try (CudaVocabulary wide = stage.sampling.vocabulary(9, SamplingStage.all(9))) {
          List<Case> nine = List.of(new Case(new float[9], GREEDY, 0));
          assertThatThrownBy(() -> stage.decode(wide, List.of(context), new int[1], nine))
              .hasMessageContainingAll("vocabulary of 4 ids", "9 logits");
        }
      }
    }
  }
}
