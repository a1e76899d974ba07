package org.hirengine.kernels.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.ModelShape;
import org.hirengine.kernels.WeightAddresses;

/**
 * A small random transformer in doubles, written from its definition. It takes tokens and returns
 * the logits after the last one, computing all positions every time.
 */
final class ReferenceDecoder {
  final ModelShape shape;
  final boolean tied;
  final float[] cosines;
  final float[] sines;
  private final float[] embedding;
  private final float[] finalNorm;
  private final float[] head;
  private final List<Layer> layers = new ArrayList<>();

  private record Layer(
      float[] inputNorm,
      float[] qkv,
      float[] qkvBias,
      float[] queryNorm,
      float[] keyNorm,
      float[] output,
      float[] postNorm,
      float[] gateUp,
      float[] down) {}

  /** Rotated keys and values of a sequence, [layer][token][kvHeads * headDim]. */
  record Cache(float[][][] keys, float[][][] values) {}

  ReferenceDecoder(
      ModelShape shape, boolean bias, boolean headNorms, boolean tied, int positions, long seed) {
    this.shape = shape;
    this.tied = tied;
    Random random = new Random(seed);
    int d = shape.headDim();
    int qkv = (shape.heads() + 2 * shape.kvHeads()) * d;
    embedding = weights(shape.vocab() * shape.hidden(), 1, 0, random);
    finalNorm = weights(shape.hidden(), 0.1, 1, random);
    head =
        tied
            ? embedding
            : weights(shape.vocab() * shape.hidden(), 1 / root(shape.hidden()), 0, random);
    for (int i = 0; i < shape.layers(); i++) {
      layers.add(
          new Layer(
              weights(shape.hidden(), 0.1, 1, random),
              weights(qkv * shape.hidden(), 1 / root(shape.hidden()), 0, random),
              bias ? weights(qkv, 0.5, 0, random) : new float[0],
              headNorms ? weights(d, 0.1, 1, random) : new float[0],
              headNorms ? weights(d, 0.1, 1, random) : new float[0],
              weights(shape.hidden() * shape.heads() * d, 1 / root(shape.heads() * d), 0, random),
              weights(shape.hidden(), 0.1, 1, random),
              weights(
                  2 * shape.intermediate() * shape.hidden(), 1 / root(shape.hidden()), 0, random),
              weights(
                  shape.hidden() * shape.intermediate(),
                  1 / root(shape.intermediate()),
                  0,
                  random)));
    }
    cosines = new float[positions * d / 2];
    sines = new float[positions * d / 2];
    for (int p = 0; p < positions; p++) {
      for (int i = 0; i < d / 2; i++) {
        double angle = p * Math.pow(10_000, -2.0 * i / d);
        cosines[p * d / 2 + i] = (float) Math.cos(angle);
        sines[p * d / 2 + i] = (float) Math.sin(angle);
      }
    }
  }

  private static double root(int n) {
    return Math.sqrt(n);
  }

  private float[] weights(int count, double spread, double centre, Random random) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (centre + spread * random.nextGaussian());
    }
    return shape.dtype() == DType.BFLOAT16 ? Bf16.widen(Bf16.round(values)) : values;
  }

  WeightAddresses addresses(Buffers b) {
    DType t = shape.dtype();
    long embeddingAddress = b.elements(t, embedding);
    List<WeightAddresses.Layer> addresses = new ArrayList<>();
    for (Layer w : layers) {
      addresses.add(
          new WeightAddresses.Layer(
              b.elements(t, w.inputNorm),
              b.elements(t, w.qkv),
              w.qkvBias.length == 0 ? 0 : b.elements(t, w.qkvBias),
              w.queryNorm.length == 0 ? 0 : b.elements(t, w.queryNorm),
              w.keyNorm.length == 0 ? 0 : b.elements(t, w.keyNorm),
              b.elements(t, w.output),
              b.elements(t, w.postNorm),
              b.elements(t, w.gateUp),
              b.elements(t, w.down)));
    }
    return new WeightAddresses(
        embeddingAddress,
        b.elements(t, finalNorm),
        tied ? embeddingAddress : b.elements(t, head),
        addresses);
  }

  /** Logits of the token after {@code tokens}; fills the arrays of {@code cache} if given. */
  double[] logits(int[] tokens, Cache... cache) {
    int d = shape.headDim();
    int share = shape.heads() / shape.kvHeads();
    double[][] x = new double[tokens.length][shape.hidden()];
    for (int t = 0; t < tokens.length; t++) {
      for (int i = 0; i < shape.hidden(); i++) {
        x[t][i] = embedding[tokens[t] * shape.hidden() + i];
      }
    }
    for (int l = 0; l < layers.size(); l++) {
      Layer w = layers.get(l);
      double[][] keys = new double[tokens.length][];
      double[][] values = new double[tokens.length][];
      double[][] queries = new double[tokens.length][];
      for (int t = 0; t < tokens.length; t++) {
        double[] qkv = times(w.qkv, norm(x[t], w.inputNorm));
        for (int i = 0; i < w.qkvBias.length; i++) {
          qkv[i] += w.qkvBias[i];
        }
        queries[t] = heads(qkv, 0, shape.heads(), w.queryNorm, t);
        keys[t] = heads(qkv, shape.heads() * d, shape.kvHeads(), w.keyNorm, t);
        int from = (shape.heads() + shape.kvHeads()) * d;
        values[t] = java.util.Arrays.copyOfRange(qkv, from, from + shape.kvHeads() * d);
        for (Cache c : cache) {
          for (int i = 0; i < keys[t].length; i++) {
            c.keys[l][t][i] = (float) keys[t][i];
            c.values[l][t][i] = (float) values[t][i];
          }
        }
      }
      int window = shape.windows().isEmpty() ? 0 : shape.windows().get(l);
      for (int t = 0; t < tokens.length; t++) {
        int first = window == 0 ? 0 : Math.max(0, t + 1 - window);
        double[] mixed = new double[shape.heads() * d];
        for (int h = 0; h < shape.heads(); h++) {
          int kv = h / share * d;
          double[] scores = new double[t + 1];
          double sum = 0;
          for (int u = first; u <= t; u++) {
            for (int i = 0; i < d; i++) {
              scores[u] += queries[t][h * d + i] * keys[u][kv + i];
            }
            scores[u] = Math.exp(scores[u] / Math.sqrt(d));
            sum += scores[u];
          }
          for (int u = first; u <= t; u++) {
            for (int i = 0; i < d; i++) {
              mixed[h * d + i] += scores[u] / sum * values[u][kv + i];
            }
          }
        }
        add(x[t], times(w.output, mixed));
        double[] gateUp = times(w.gateUp, norm(x[t], w.postNorm));
        double[] activated = new double[shape.intermediate()];
        for (int i = 0; i < activated.length; i++) {
          activated[i] = gateUp[i] / (1 + Math.exp(-gateUp[i])) * gateUp[shape.intermediate() + i];
        }
        add(x[t], times(w.down, activated));
      }
    }
    return times(head, norm(x[tokens.length - 1], finalNorm));
  }

  Cache cache(int tokens) {
    int width = shape.kvHeads() * shape.headDim();
    return new Cache(
        new float[shape.layers()][tokens][width], new float[shape.layers()][tokens][width]);
  }

  /** Norm and rotation of each head. */
  private double[] heads(double[] qkv, int from, int count, float[] weight, int position) {
    int d = shape.headDim();
    double[] out = new double[count * d];
    for (int h = 0; h < count; h++) {
      double[] head = java.util.Arrays.copyOfRange(qkv, from + h * d, from + (h + 1) * d);
      head = weight.length == 0 ? head : norm(head, weight);
      for (int i = 0; i < d / 2; i++) {
        double c = cosines[position * d / 2 + i];
        double s = sines[position * d / 2 + i];
        out[h * d + i] = head[i] * c - head[i + d / 2] * s;
        out[h * d + i + d / 2] = head[i + d / 2] * c + head[i] * s;
      }
    }
    return out;
  }

  private double[] norm(double[] x, float[] weight) {
    double sum = 0;
    for (double v : x) {
      sum += v * v;
    }
    double scale = 1 / Math.sqrt(sum / x.length + shape.normEpsilon());
    double[] out = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      out[i] = x[i] * scale * weight[i];
    }
    return out;
  }

  private static double[] times(float[] matrix, double[] x) {
    double[] out = new double[matrix.length / x.length];
    for (int r = 0; r < out.length; r++) {
      for (int i = 0; i < x.length; i++) {
        out[r] += matrix[r * x.length + i] * x[i];
      }
    }
    return out;
  }

  private static void add(double[] x, double[] y) {
    for (int i = 0; i < x.length; i++) {
      x[i] += y[i];
    }
  }
}
