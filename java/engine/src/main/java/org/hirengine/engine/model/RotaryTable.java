package org.hirengine.engine.model;

import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.Device;
import org.jspecify.annotations.Nullable;

/**
 * Cosines and sines of the rotary position embedding, [positions, headDim / 2] each, for as many
 * positions as have been requested.
 *
 * <p>Angles are fp32 products of position and inverse frequency, as in transformers.
 */
public final class RotaryTable implements AutoCloseable {

  private final float[] inverseFrequencies;
  private final Device device;
  private final ScalarType dtype;
  private int positions;
  private @Nullable Tensor cosines;
  private @Nullable Tensor sines;

  RotaryTable(ModelConfig config, Device device, ScalarType dtype) {
    this.inverseFrequencies = inverseFrequencies(config);
    this.device = device;
    this.dtype = dtype;
  }

  /** theta^(-2i/headDim), scaled by Llama 3's rule if the configuration asks for it. */
  static float[] inverseFrequencies(ModelConfig config) {
    float[] frequencies = new float[config.headDim() / 2];
    for (int i = 0; i < frequencies.length; i++) {
      float exponent = 2f * i / config.headDim();
      frequencies[i] = (float) (1.0 / Math.pow(config.ropeTheta(), exponent));
      if (config.ropeScaling() != null) {
        frequencies[i] = (float) scaled(frequencies[i], config.ropeScaling());
      }
    }
    return frequencies;
  }

  /**
   * Long wavelengths are stretched by the factor, short ones kept, those between interpolated
   * (transformers, {@code _compute_llama3_parameters}).
   */
  private static double scaled(double frequency, ModelConfig.RopeScaling rule) {
    double wavelength = 2 * Math.PI / frequency;
    if (wavelength < rule.originalPositions() / rule.highFrequency()) {
      return frequency;
    }
    if (wavelength > rule.originalPositions() / rule.lowFrequency()) {
      return frequency / rule.factor();
    }
    double smooth =
        (rule.originalPositions() / wavelength - rule.lowFrequency())
            / (rule.highFrequency() - rule.lowFrequency());
    return (1 - smooth) * frequency / rule.factor() + smooth * frequency;
  }

  /** Makes room for positions 0 to {@code needed} - 1; the tables it replaces are closed. */
  void ensure(int needed) {
    if (needed <= positions) {
      return;
    }
    int size = Math.max(needed, Math.max(256, 2 * positions));
    int half = inverseFrequencies.length;
    float[] cos = new float[size * half];
    float[] sin = new float[size * half];
    for (int p = 0; p < size; p++) {
      for (int i = 0; i < half; i++) {
        double angle = (float) p * inverseFrequencies[i];
        cos[p * half + i] = (float) Math.cos(angle);
        sin[p * half + i] = (float) Math.sin(angle);
      }
    }
    close();
    cosines = table(cos, half);
    sines = table(sin, half);
    positions = size;
  }

  private Tensor table(float[] values, int half) {
    try (Tensor flat = Tensors.of(values);
        Tensor matrix = flat.view(-1, half)) {
      Tensor table = Tensors.own(Tensors.empty(device, dtype, values.length / half, half));
      table.copy_(matrix);
      return table;
    }
  }

  /** [positions, headDim / 2]. */
  public Tensor cosines() {
    return Objects.requireNonNull(cosines);
  }

  /** [positions, headDim / 2]. */
  public Tensor sines() {
    return Objects.requireNonNull(sines);
  }

  @Override
  public void close() {
    if (cosines != null) {
      cosines.close();
      cosines = null;
    }
    if (sines != null) {
      sines.close();
      sines = null;
    }
    positions = 0;
  }
}
