package org.hirengine.kernels.testing;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import org.hirengine.testing.SharedData;
import org.jspecify.annotations.Nullable;

/** The weight of a token in each aggregation mode of the golden policy losses. */
final class GoldenWeights {

  private GoldenWeights() {}

  static float[] of(JsonNode c) {
    JsonNode info = c.get("config").get("global_batch_info");
    JsonNode mask = c.get("response_mask");
    String mode = c.get("loss_agg_mode").asText();
    float[] weights =
        mode.equals("token-mean") ? tokenMean(mask, info) : perSequence(mask, mode, info);
    if (c.has("rollout_is_weights")) {
      double[] factors = SharedData.doubles(c.get("rollout_is_weights"));
      for (int i = 0; i < weights.length; i++) {
        weights[i] = (float) (weights[i] * factors[i]);
      }
    }
    return weights;
  }

  static float[] tokenMean(JsonNode mask, @Nullable JsonNode info) {
    double[] flat = SharedData.doubles(mask);
    double tokens = Arrays.stream(flat).sum();
    double ranks = 1;
    if (info != null) {
      tokens = info.path("batch_num_tokens").asDouble(tokens);
      ranks = info.path("dp_size").asDouble(1);
    }
    float[] weights = new float[flat.length];
    for (int i = 0; i < flat.length; i++) {
      weights[i] = (float) (flat[i] / tokens * ranks);
    }
    return weights;
  }

  private static float[] perSequence(JsonNode mask, String mode, JsonNode info) {
    int length = mask.get(0).size();
    float[] weights = new float[mask.size() * length];
    double rows = 0;
    for (JsonNode row : mask) {
      rows += Arrays.stream(SharedData.doubles(row)).sum() > 0 ? 1 : 0;
    }
    rows = info.path("global_batch_size").asDouble(rows);
    double ranks = info.path("dp_size").asDouble(1);
    for (int r = 0; r < mask.size(); r++) {
      double[] flat = SharedData.doubles(mask.get(r));
      double tokens = Arrays.stream(flat).sum();
      for (int t = 0; t < length; t++) {
        double weight =
            switch (mode) {
              case "seq-mean-token-sum" -> 1 / rows * ranks;
              case "seq-mean-token-mean" -> 1 / (tokens + 1e-8) / rows * ranks;
              case "seq-mean-token-sum-norm" -> 1.0 / length;
              default -> throw new IllegalArgumentException(mode);
            };
        weights[r * length + t] = (float) (flat[t] * weight);
      }
    }
    return weights;
  }
}
