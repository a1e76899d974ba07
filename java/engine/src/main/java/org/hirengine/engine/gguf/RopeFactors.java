package org.hirengine.engine.gguf;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Llama 3's scaling of rotary frequencies. A Hugging Face config gives four numbers; a GGUF file
 * gives only their result, one factor for each pair of a head, by which its inverse frequency is
 * divided.
 *
 * @param factor divides the frequencies of long wavelengths
 * @param low wavelengths above original / low are long
 * @param high wavelengths below original / high are short and not scaled
 * @param original positions that the model was first trained on
 */
public record RopeFactors(double factor, double low, double high, double original) {

  private static final double TOLERANCE = 1e-4;

  /** The factors of all pairs (transformers, {@code _compute_llama3_parameters}). */
  public float[] values(double theta, long headSize) {
    float[] values = new float[(int) headSize / 2];
    for (int i = 0; i < values.length; i++) {
      double wavelength = wavelength(i, theta, headSize);
      if (wavelength < original / high) {
        values[i] = 1;
      } else if (wavelength > original / low) {
        values[i] = (float) factor;
      } else {
        double smooth = (original / wavelength - low) / (high - low);
        values[i] = (float) (1 / ((1 - smooth) / factor + smooth));
      }
    }
    return values;
  }

  private static double wavelength(int pair, double theta, long headSize) {
    return 2 * Math.PI * Math.pow(theta, 2.0 * pair / headSize);
  }

  ObjectNode json() {
    return JsonNodeFactory.instance
        .objectNode()
        .put("rope_type", "llama3")
        .put("factor", factor)
        .put("low_freq_factor", low)
        .put("high_freq_factor", high)
        .put("original_max_position_embeddings", Math.round(original));
  }

  /**
   * Recovers the numbers from a file's factors, and checks that they reproduce the factors. Only
   * ratios of the three lengths matter, so low is 1, as in all released models; high is 4 unless
   * two values between the extremes show otherwise.
   *
   * @param original from the file, or 0
   * @return {@code rope_scaling}, or null if all factors are one
   */
  static @Nullable ObjectNode explain(
      Gguf gguf, float[] factors, double theta, long headSize, long original) {
    double largest = 1;
    for (float factor : factors) {
      if (!(factor >= 1) || Float.isInfinite(factor)) {
        throw gguf.bad(
            null,
            "tensor '"
                + TensorNames.ROPE_FACTORS
                + "' holds "
                + factor
                + ", which is not a valid frequency factor");
      }
      largest = Math.max(largest, factor);
    }
    if (largest == 1) {
      return null;
    }
    for (RopeFactors candidate : candidates(factors, largest, theta, headSize, original)) {
      if (candidate.gives(factors, theta, headSize)) {
        return candidate.json();
      }
    }
    throw gguf.bad(
        null, "tensor '" + TensorNames.ROPE_FACTORS + "' does not match Llama 3's scaling");
  }

  private static List<RopeFactors> candidates(
      float[] factors, double factor, double theta, long headSize, long original) {
    List<RopeFactors> candidates = new ArrayList<>();
    if (original > 0) {
      candidates.add(new RopeFactors(factor, 1, 4, original));
    }
    candidates.add(new RopeFactors(factor, 1, 4, 8192));
    double beforeSmooth = 0;
    double beforeWave = 0;
    for (int i = 0; i < factors.length; i++) {
      if (factors[i] > 1 && factors[i] < factor) {
        double wave = wavelength(i, theta, headSize);
        double smooth = (1 / factors[i] - 1 / factor) / (1 - 1 / factor);
        candidates.add(new RopeFactors(factor, 1, 4, Math.rint(wave * (1 + 3 * smooth))));
        if (beforeWave > 0) {
          // smooth = a / wave - b, with a = original * b and b = 1 / (high - 1)
          double a = (beforeSmooth - smooth) / (1 / beforeWave - 1 / wave);
          double b = a / wave - smooth;
          candidates.add(new RopeFactors(factor, 1, 1 + 1 / b, Math.rint(a / b)));
        }
        beforeSmooth = smooth;
        beforeWave = wave;
      }
    }
    for (int positions = 32; positions <= 1 << 20; positions *= 2) {
      candidates.add(new RopeFactors(factor, 1, 4, positions));
    }
    return candidates;
  }

  private boolean gives(float[] factors, double theta, long headSize) {
    float[] values = values(theta, headSize);
    for (int i = 0; i < values.length; i++) {
      if (!(Math.abs(values[i] - factors[i]) <= TOLERANCE * factors[i])) {
        return false;
      }
    }
    return true;
  }
}
