package org.hirengine.engine.algo;

import static org.hirengine.engine.algo.Golden.assertClose;
import static org.hirengine.engine.algo.Golden.groups;
import static org.hirengine.engine.algo.Golden.lengths;
import static org.hirengine.engine.algo.Golden.matrix;
import static org.hirengine.engine.algo.Golden.runs;
import static org.hirengine.engine.algo.Golden.unmasked;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.hirengine.engine.algo.LossAggregation.Totals;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;

/** Every file of golden/algos that concerns the trainer and not a kernel. */
class GoldenAlgorithmsTest {

  @FunctionalInterface
  private interface Case {
    void run(JsonNode test, String name);
  }

  private static void forEach(String file, Case check) {
    List<JsonNode> cases = SharedData.cases("golden/algos/" + file + ".json");
    assertTrue(cases.size() > 0);
    for (JsonNode test : cases) {
      check.run(test, file + "/" + test.get("name").asText());
    }
    SharedData.counted("golden/algos/" + file, cases.size());
  }

  private static double weightedSum(LossAggregation mode, double[][] rows, Totals totals) {
    double sum = 0;
    for (double[] row : rows) {
      for (double x : row) {
        sum += x * mode.weight(row.length, totals);
      }
    }
    return sum;
  }

  private static LossAggregation mode(JsonNode test) {
    String name = test.get("loss_agg_mode").asText();
    return LossAggregation.valueOf(name.replace('-', '_').toUpperCase(Locale.ROOT));
  }

  /** The constant of seq-mean-token-sum-norm: the given one, or the padded length. */
  private static double scale(JsonNode kwargs, JsonNode mask) {
    return kwargs.has("loss_scale_factor")
        ? kwargs.get("loss_scale_factor").asDouble()
        : mask.get(0).size();
  }

  private static Totals totals(JsonNode kwargs, double[][] rows, JsonNode mask) {
    Totals local = Totals.of(lengths(rows), scale(kwargs, mask));
    // The reference divides by global counts and multiplies by the data-parallel size.
    double parts = kwargs.path("dp_size").asDouble(1);
    return new Totals(
        kwargs.path("batch_num_tokens").asDouble(local.tokens() * parts) / parts,
        kwargs.path("global_batch_size").asDouble(local.rows() * parts) / parts,
        local.scale());
  }

  @Test
  void lossAggregation() {
    forEach(
        "agg_loss",
        (test, name) -> {
          double[][] rows = unmasked(test.get("loss_mat"), test.get("loss_mask"));
          Totals totals = totals(test.get("kwargs"), rows, test.get("loss_mask"));
          double actual = weightedSum(mode(test), rows, totals);
          double expected = SharedData.number(test.get("expected"));
          if (Double.isNaN(expected)) {
            // Without tokens the reference computes 0/0; elsewhere it reads a NaN outside the mask.
            assertTrue(name.contains("zero") || name.contains("nan-outside-mask"), name);
            assertTrue(Double.isFinite(actual), name);
          } else {
            assertClose(expected, actual, name);
          }
          if (test.has("grad_loss_mat")) {
            double[][] gradient = unmasked(test.get("grad_loss_mat"), test.get("loss_mask"));
            double[][] weights = new double[rows.length][];
            for (int i = 0; i < rows.length; i++) {
              weights[i] = new double[rows[i].length];
              Arrays.fill(weights[i], mode(test).weight(rows[i].length, totals));
            }
            assertClose(gradient, weights, name);
          }
        });
  }

  @Test
  void lossAggregationOfTheForkEra() {
    forEach(
        "agg_loss_fork_era",
        (test, name) -> {
          double[][] rows = unmasked(test.get("loss_mat"), test.get("loss_mask"));
          Totals local = Totals.of(lengths(rows), test.get("loss_mask").get(0).size());
          // The only difference: it counts empty rows.
          Totals totals = new Totals(local.tokens(), rows.length, local.scale());
          double actual = weightedSum(mode(test), rows, totals);
          double expected = SharedData.number(test.get("expected"));
          if (Double.isNaN(expected)) {
            assertTrue(name.matches(".*(zero|empty_rows|nan-outside-mask).*"), name);
            assertTrue(Double.isFinite(actual), name);
          } else {
            assertClose(expected, actual, name);
          }
        });
  }

  @Test
  void klPenalty() {
    forEach(
        "kl_penalty",
        (test, name) -> {
          String kind = test.get("kl_penalty").asText();
          if (test.has("raises")) {
            assertThrows(IllegalArgumentException.class, () -> KlPenalty.of(kind), name);
            return;
          }
          KlPenalty penalty = KlPenalty.of(kind);
          double[][] logprobs = matrix(test.get("logprob"));
          double[][] ref = matrix(test.get("ref_logprob"));
          double[][] kl = new double[ref.length][ref[0].length];
          double[][] gradient = new double[ref.length][ref[0].length];
          for (int i = 0; i < ref.length; i++) {
            for (int t = 0; t < ref[i].length; t++) {
              kl[i][t] = penalty.of(logprobs[i][t], ref[i][t]);
              gradient[i][t] = ReferencePolicyLoss.klGradient(penalty, logprobs[i][t], ref[i][t]);
            }
          }
          assertClose(matrix(test.get("expected")), kl, name);
          assertClose(matrix(test.get("grad_sum_wrt_logprob")), gradient, name + " gradient");
        });
  }

  @Test
  void klController() {
    forEach(
        "kl_controller",
        (test, name) -> {
          JsonNode config = test.get("config");
          double beta = config.get("kl_coef").asDouble();
          KlController controller =
              config.get("type").asText().equals("fixed")
                  ? KlController.fixed(beta)
                  : KlController.adaptive(
                      beta, config.get("target_kl").asDouble(), config.get("horizon").asDouble());
          for (JsonNode update : test.get("updates")) {
            controller.update(update.get("current_kl").asDouble(), update.get("n_steps").asLong());
            assertEquals(
                update.get("value_after").asDouble(),
                controller.beta(),
                1e-12 * Math.abs(controller.beta()),
                name);
          }
        });
  }

  @Test
  void maskedWhiten() {
    forEach(
        "masked_whiten",
        (test, name) -> {
          double[][] rows = unmasked(test.get("values"), test.get("mask"));
          boolean shift = test.get("shift_mean").asBoolean();
          if (test.has("raises")) {
            assertThrows(IllegalArgumentException.class, () -> Moments.whiten(rows, shift), name);
            return;
          }
          assertClose(
              unmasked(test.get("expected"), test.get("mask")), Moments.whiten(rows, shift), name);
          if (test.has("masked_mean")) {
            assertClose(SharedData.number(test.get("masked_mean")), Moments.of(rows).mean(), name);
            assertClose(
                SharedData.number(test.get("masked_var_unbiased")),
                Moments.of(rows).variance(),
                name);
          }
        });
  }

  @Test
  void reinforcePlusPlus() {
    forEach(
        "reinforce_plus_plus",
        (test, name) -> {
          JsonNode mask = test.get("response_mask");
          double[][] rewards = runs(test.get("token_level_rewards"), mask);
          var batch =
              new AdvantageEstimator.Batch(
                  rewards, new int[rewards.length], new boolean[rewards.length]);
          double gamma = test.get("gamma").asDouble();
          if (test.has("raises")) {
            assertThrows(
                IllegalArgumentException.class,
                () -> AdvantageEstimator.REINFORCE_PLUS_PLUS.advantages(batch, gamma),
                name);
            return;
          }
          JsonNode expected = test.get("expected");
          assertClose(
              runs(expected.get("advantages"), mask),
              AdvantageEstimator.REINFORCE_PLUS_PLUS.advantages(batch, gamma),
              name);
          assertClose(
              runs(expected.get("returns"), mask),
              AdvantageEstimator.returns(rewards, gamma),
              name + " returns");
        });
  }

  private static void groupEstimator(String file, AdvantageEstimator estimator) {
    forEach(
        file,
        (test, name) -> {
          JsonNode mask = test.get("response_mask");
          double[][] rewards = unmasked(test.get("token_level_rewards"), mask);
          boolean divide = test.get("config").path("norm_adv_by_std_in_grpo").asBoolean(true);
          var batch =
              new AdvantageEstimator.Batch(
                  rewards, groups(test.get("index")), new boolean[rewards.length]);
          assertClose(
              unmasked(test.get("expected").get("advantages"), mask),
              (divide ? estimator : AdvantageEstimator.DR_GRPO).advantages(batch, 1),
              name + (divide ? "" : " undivided"));
        });
  }

  @Test
  void grpoAndDrGrpo() {
    groupEstimator("grpo", AdvantageEstimator.GRPO);
  }

  @Test
  void rloo() {
    groupEstimator("rloo", AdvantageEstimator.RLOO);
  }

  @Test
  void reinforcePlusPlusBaseline() {
    groupEstimator("reinforce_plus_plus_baseline", AdvantageEstimator.REINFORCE_PLUS_PLUS_BASELINE);
  }

  @Test
  void policyLossReference() {
    for (String file : new String[] {"policy_loss_vanilla", "policy_loss_vanilla_fork_era"}) {
      forEach(
          file,
          (test, name) -> {
            if (name.contains("is_weights") || name.contains("tis")) {
              return; // the rollout engine's importance weights, no term of this loss
            }
            JsonNode mask = test.get("response_mask");
            double[][] logprobs = unmasked(test.get("log_prob"), mask);
            JsonNode info = test.get("config").path("global_batch_info");
            Totals totals = totals(info, logprobs, mask);
            if (file.endsWith("era")) {
              totals = new Totals(totals.tokens(), logprobs.length, totals.scale());
            }
            comparePolicyLoss(
                test,
                test.get("expected"),
                logprobs,
                unmasked(test.get("advantages"), mask),
                totals,
                name);
          });
    }
  }

  @Test
  void pipeline() {
    forEach(
        "pipeline",
        (test, name) -> {
          JsonNode mask = test.get("response_mask");
          double[][] scores = unmasked(test.get("token_level_scores"), mask);
          double[][] old = unmasked(test.get("old_log_prob"), mask);
          double[][] ref = unmasked(test.get("ref_log_prob"), mask);
          JsonNode expected = test.get("expected");
          KlPenalty penalty = KlPenalty.of(test.get("kl_penalty").asText());
          double beta = test.get("kl_coef").asDouble();
          double meanKl = 0;
          for (int i = 0; i < scores.length; i++) {
            double rowKl = 0;
            for (int t = 0; t < scores[i].length; t++) {
              double kl = penalty.of(old[i][t], ref[i][t]);
              scores[i][t] -= beta * kl;
              rowKl += kl / scores[i].length;
            }
            meanKl += rowKl / scores.length;
          }
          assertClose(
              unmasked(expected.get("token_level_rewards"), mask), scores, name + " rewards");
          assertClose(SharedData.number(expected.get("reward_kl_penalty")), meanKl, name);
          var batch =
              new AdvantageEstimator.Batch(
                  scores, new int[scores.length], new boolean[scores.length]);
          double gamma = test.get("gamma").asDouble();
          double[][] advantages = AdvantageEstimator.REINFORCE_PLUS_PLUS.advantages(batch, gamma);
          assertClose(unmasked(expected.get("advantages"), mask), advantages, name);
          double[][] logprobs = unmasked(test.get("log_prob"), mask);
          Totals totals = totals(test.get("config").path("global_batch_info"), logprobs, mask);
          comparePolicyLoss(test, expected, logprobs, advantages, totals, name);
        });
  }

  private static void comparePolicyLoss(
      JsonNode test,
      JsonNode expected,
      double[][] logprobs,
      double[][] advantages,
      Totals totals,
      String name) {
    JsonNode mask = test.get("response_mask");
    double[][] old = unmasked(test.get("old_log_prob"), mask);
    JsonNode config = test.get("config");
    double low = config.path("clip_ratio_low").asDouble(config.get("clip_ratio").asDouble());
    double high = config.path("clip_ratio_high").asDouble(config.get("clip_ratio").asDouble());
    double dual = config.get("clip_ratio_c").asDouble();
    double loss = 0;
    double clipped = 0;
    double dualClipped = 0;
    double kl = 0;
    double tokens = Totals.of(lengths(logprobs), 1).tokens();
    double[][] gradient = new double[logprobs.length][];
    for (int i = 0; i < logprobs.length; i++) {
      gradient[i] = new double[logprobs[i].length];
      double weight = mode(test).weight(logprobs[i].length, totals);
      for (int t = 0; t < logprobs[i].length; t++) {
        ReferencePolicyLoss token =
            ReferencePolicyLoss.of(logprobs[i][t], old[i][t], advantages[i][t], low, high, dual);
        loss += weight * token.loss();
        gradient[i][t] = weight * token.gradient();
        kl += token.approxKl() / tokens;
        clipped += (token.clipped() ? 1 : 0) / tokens;
        dualClipped += (token.dualClipped() ? 1 : 0) / tokens;
      }
    }
    double expectedLoss = SharedData.number(expected.get("pg_loss"));
    if (Double.isNaN(expectedLoss)) {
      // The older fork's mean over an empty row, whose gradient means nothing either.
      assertTrue(name.contains("empty_rows") && Double.isFinite(loss), name);
      return;
    }
    assertClose(expectedLoss, loss, name + " loss");
    assertClose(SharedData.number(expected.get("pg_clipfrac")), clipped, name + " clipped");
    assertClose(SharedData.number(expected.get("ppo_kl")), kl, name + " kl");
    assertClose(SharedData.number(expected.get("pg_clipfrac_lower")), dualClipped, name + " dual");
    assertClose(unmasked(expected.get("grad_log_prob"), mask), gradient, name + " gradient");
  }
}
