package org.hirengine.engine.model;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.gguf.RopeFactors;
import org.hirengine.engine.runtime.Tensors;

/** The model in double precision and plain loops, one sequence at a time. */
public final class ReferenceModel {

  private final ModelConfig config;
  private final Map<String, float[]> weights = new HashMap<>();

  public ReferenceModel(Policy policy) {
    config = policy.config();
    for (Map.Entry<String, Tensor> parameter : policy.parameters().entrySet()) {
      weights.put(parameter.getKey(), Tensors.floats(parameter.getValue()));
    }
  }

  /** Returns the logits of every position, [ids.length][V]. */
  public double[][] logits(int[] ids) {
    double[][] x = new double[ids.length][];
    float[] embedding = weights.get("model.embed_tokens.weight");
    for (int t = 0; t < ids.length; t++) {
      x[t] = new double[config.hiddenSize()];
      for (int i = 0; i < x[t].length; i++) {
        x[t][i] = embedding[ids[t] * config.hiddenSize() + i];
      }
    }
    for (int layer = 0; layer < config.layers(); layer++) {
      String name = "model.layers." + layer + ".";
      int window = config.windows().get(layer);
      double[][] mixed =
          attention(name + "self_attn.", norm(x, name + "input_layernorm.weight"), window);
      x = add(x, mixed);
      x = add(x, mlp(name + "mlp.", norm(x, name + "post_attention_layernorm.weight")));
    }
    x = norm(x, "model.norm.weight");
    return multiply(x, config.tied() ? "model.embed_tokens" : "lm_head");
  }

  /** Log-probs of {@code ids[from..]} at a temperature. */
  public double[] logprobs(int[] ids, int from, double temperature) {
    double[][] logits = logits(ids);
    double[] logprobs = new double[ids.length - from];
    for (int t = from; t < ids.length; t++) {
      double max = Double.NEGATIVE_INFINITY;
      for (double logit : logits[t - 1]) {
        max = Math.max(max, logit / temperature);
      }
      double sum = 0;
      for (double logit : logits[t - 1]) {
        sum += Math.exp(logit / temperature - max);
      }
      logprobs[t - from] = logits[t - 1][ids[t]] / temperature - max - Math.log(sum);
    }
    return logprobs;
  }

  private double[][] attention(String name, double[][] x, int window) {
    int dim = config.headDim();
    double[][] q = multiply(x, name + "q_proj");
    double[][] k = multiply(x, name + "k_proj");
    double[][] v = multiply(x, name + "v_proj");
    prepare(q, config.heads(), name + "q_norm.weight");
    prepare(k, config.kvHeads(), name + "k_norm.weight");
    double[][] mixed = new double[x.length][config.heads() * dim];
    for (int head = 0; head < config.heads(); head++) {
      int group = head / (config.heads() / config.kvHeads());
      for (int t = 0; t < x.length; t++) {
        int first = window == 0 ? 0 : Math.max(0, t - window + 1);
        double[] scores = new double[t + 1];
        double max = Double.NEGATIVE_INFINITY;
        for (int s = first; s <= t; s++) {
          for (int i = 0; i < dim; i++) {
            scores[s] += q[t][head * dim + i] * k[s][group * dim + i];
          }
          scores[s] /= Math.sqrt(dim);
          max = Math.max(max, scores[s]);
        }
        double sum = 0;
        for (int s = first; s <= t; s++) {
          scores[s] = Math.exp(scores[s] - max);
          sum += scores[s];
        }
        for (int s = first; s <= t; s++) {
          for (int i = 0; i < dim; i++) {
            mixed[t][head * dim + i] += scores[s] / sum * v[s][group * dim + i];
          }
        }
      }
    }
    return multiply(mixed, name + "o_proj");
  }

  /** Per-head norm where the model has one, then the rotation. */
  private void prepare(double[][] x, int heads, String normName) {
    int dim = config.headDim();
    float[] factors = factors();
    for (int t = 0; t < x.length; t++) {
      for (int head = 0; head < heads; head++) {
        double[] part = Arrays.copyOfRange(x[t], head * dim, head * dim + dim);
        if (weights.containsKey(normName)) {
          part = norm(new double[][] {part}, normName)[0];
        }
        for (int i = 0; i < dim / 2; i++) {
          double angle = t * Math.pow(config.ropeTheta(), -2.0 * i / dim) / factors[i];
          double low = part[i];
          double high = part[i + dim / 2];
          x[t][head * dim + i] = low * Math.cos(angle) - high * Math.sin(angle);
          x[t][head * dim + i + dim / 2] = high * Math.cos(angle) + low * Math.sin(angle);
        }
      }
    }
  }

  /** The divisor of each pair's frequency. */
  private float[] factors() {
    ModelConfig.RopeScaling rule = config.ropeScaling();
    if (rule == null) {
      float[] ones = new float[config.headDim() / 2];
      Arrays.fill(ones, 1);
      return ones;
    }
    return new RopeFactors(
            rule.factor(), rule.lowFrequency(), rule.highFrequency(), rule.originalPositions())
        .values(config.ropeTheta(), config.headDim());
  }

  private double[][] mlp(String name, double[][] x) {
    double[][] gate = multiply(x, name + "gate_proj");
    double[][] up = multiply(x, name + "up_proj");
    for (int t = 0; t < x.length; t++) {
      for (int i = 0; i < gate[t].length; i++) {
        gate[t][i] *= up[t][i] / (1 + Math.exp(-gate[t][i]));
      }
    }
    return multiply(gate, name + "down_proj");
  }

  private double[][] norm(double[][] x, String name) {
    float[] weight = weights.get(name);
    double[][] normed = new double[x.length][weight.length];
    for (int t = 0; t < x.length; t++) {
      double squares = 0;
      for (double value : x[t]) {
        squares += value * value;
      }
      double scale = 1 / Math.sqrt(squares / weight.length + config.rmsNormEps());
      for (int i = 0; i < weight.length; i++) {
        normed[t][i] = x[t][i] * scale * weight[i];
      }
    }
    return normed;
  }

  private double[][] multiply(double[][] x, String name) {
    float[] weight = weights.get(name + ".weight");
    float[] bias = weights.get(name + ".bias");
    int in = x[0].length;
    int out = weight.length / in;
    double[][] product = new double[x.length][out];
    for (int t = 0; t < x.length; t++) {
      for (int o = 0; o < out; o++) {
        double sum = bias == null ? 0 : bias[o];
        for (int i = 0; i < in; i++) {
          sum += x[t][i] * weight[o * in + i];
        }
        product[t][o] = sum;
      }
    }
    return product;
  }

  private static double[][] add(double[][] a, double[][] b) {
    double[][] sum = new double[a.length][a[0].length];
    for (int t = 0; t < a.length; t++) {
      for (int i = 0; i < sum[t].length; i++) {
        sum[t][i] = a[t][i] + b[t][i];
      }
    }
    return sum;
  }
}
