package org.hirengine.kernels.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.DecodeKernel;
import org.hirengine.kernels.KernelException;
import org.hirengine.kernels.ModelKernel;
import org.hirengine.kernels.ModelMemory;
import org.hirengine.kernels.ModelShape;
import org.junit.jupiter.api.Test;

/**
 * Decoders of {@code Kernels.model} compared with a transformer in doubles, over random shapes and
 * batches.
 */
public interface DecodeContract extends KernelsUnderTest {

  int POSITIONS = 120;

  /**
   * Tolerance of a logit for models of this type, relative to 1 + its magnitude or, where
   * activations are rounded, to 1 + the magnitude of its row.
   */
  default double decodeTolerance(DType dtype) {
    return dtype == DType.BFLOAT16 ? 5e-2 : 2e-5;
  }

  /** How much a logit may depend on other rows of its batch. */
  default double batchTolerance() {
    return 0;
  }

  @Test
  default void qwen3LikeModelsDecode() {
    decodeShapes().forEach(shape -> decodes(shape, false, true, true));
  }

  @Test
  default void qwen2LikeModelsDecode() {
    decodeShapes().forEach(shape -> decodes(shape, true, false, false));
  }

  @Test
  default void llamaLikeModelsDecode() {
    decodeShapes().forEach(shape -> decodes(shape, false, false, true));
  }

  /**
   * Windows that begin in shared pages and in a row's own; heads of which a GPU's block has few.
   */
  @Test
  default void modelsWithSlidingWindowsDecode() {
    for (DType dtype : DType.values()) {
      List<Integer> windows = List.of(20, 0, 45);
      decodes(new ModelShape(3, 24, 16, 2, 1, 256, 37, 1e-6, dtype, windows), true, false, true);
      decodes(
          new ModelShape(1, 40, 56, 4, 2, 16, 37, 1e-6, dtype, List.of(33)), false, true, false);
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> new ModelShape(2, 40, 56, 4, 2, 16, 37, 1e-6, DType.FLOAT32, List.of(1)));
  }

  /** Number of models that the tests decode. */
  default List<ModelShape> decodeShapes() {
    List<ModelShape> shapes = new ArrayList<>();
    for (DType dtype : DType.values()) {
      shapes.add(new ModelShape(2, 40, 56, 4, 2, 16, 37, 1e-6, dtype));
      shapes.add(new ModelShape(1, 64, 100, 6, 2, 24, 101, 1e-5, dtype));
      shapes.add(new ModelShape(2, 33, 17, 3, 3, 40, 64, 1e-6, dtype));
      shapes.add(new ModelShape(1, 96, 128, 5, 1, 80, 130, 1e-6, dtype));
    }
    return shapes;
  }

  /** Number of tokens that rows decode in a test. */
  default int decodeSteps() {
    return 40;
  }

  /** Groups of rows behind prompts of many lengths decode tokens; some rows end on the way. */
  private void decodes(ModelShape shape, boolean bias, boolean headNorms, boolean tied) {
    ReferenceDecoder model =
        new ReferenceDecoder(shape, bias, headNorms, tied, POSITIONS, shape.hidden());
    Random random = new Random(5);
    try (Buffers b = buffers();
        ModelKernel kernel = kernels().model(device(), shape).orElseThrow();
        DecodeKernel decoder = kernel.decoder()) {
      kernel.setWeights(model.addresses(b));
      kernel.setRotary(b.floats(model.cosines), b.floats(model.sines), POSITIONS);
      List<int[]> rows = new ArrayList<>();
      List<Integer> prompts = new ArrayList<>(); // of each row, the length: no two are equal
      int[] promptLengths = {1, 31, 32, 33, 70, 0};
      for (int p = 0; p < promptLengths.length; p++) {
        int[] prompt = tokens(promptLengths[p], shape, random);
        long handle = prompt.length == 0 ? 0 : store(b, decoder, model, prompt);
        int count = p == 4 ? 19 : p % 3 + 1;
        decoder.admit(handle, rows.size(), count);
        if (handle != 0) {
          decoder.freePrompt(handle);
        }
        for (int i = 0; i < count; i++) {
          rows.add(prompt);
          prompts.add(prompt.length);
        }
      }
      assertEquals(pages(rows, prompts), decoder.pages(), "pages of rows that begin");
      for (int step = 0; step < decodeSteps(); step++) {
        int count = rows.size();
        for (int r = 0; r < count; r++) {
          int[] row = Arrays.copyOf(rows.get(r), rows.get(r).length + 1);
          row[row.length - 1] = random.nextInt(shape.vocab());
          rows.set(r, row);
        }
        float[] logits = step(b, decoder, rows, shape);
        assertEquals(pages(rows, prompts), decoder.pages(), "pages after step " + step);
        // The reference is slow, so check two rows per step, and every row over the steps.
        for (int r = step * 5 % count, n = 0; n < 2; r = (r + 11) % count, n++) {
          double[] expected = model.logits(rows.get(r));
          double size = Math.sqrt(Arrays.stream(expected).map(x -> x * x).average().orElse(0));
          for (int j = 0; j < shape.vocab(); j++) {
            double off = Math.abs(expected[j] - logits[r * shape.vocab() + j]);
            double scale = shape.dtype() == DType.BFLOAT16 ? size : Math.abs(expected[j]);
            if (!(off <= decodeTolerance(shape.dtype()) * (1 + scale))) {
              assertEquals(
                  expected[j],
                  logits[r * shape.vocab() + j],
                  shape + " step " + step + " row " + r + " token " + j);
            }
          }
        }
        if (step % 5 == 2 && count > 3) {
          int gone = random.nextInt(count);
          decoder.move(count - 1, gone);
          rows.set(gone, rows.get(count - 1));
          rows.remove(count - 1);
          prompts.set(gone, prompts.get(count - 1));
          prompts.remove(count - 1);
          assertEquals(pages(rows, prompts), decoder.pages(), "pages after a row ended");
        }
      }
      decoder.keep(2);
      assertEquals(pages(rows.subList(0, 2), prompts.subList(0, 2)), decoder.pages());
      decoder.keep(0);
      assertEquals(0, decoder.pages());
    }
  }

  /** What {@link DecodeKernel#pages} promises. */
  private static long pages(List<int[]> rows, List<Integer> prompts) {
    int page = ModelMemory.PAGE_TOKENS;
    long shared = prompts.stream().distinct().mapToLong(n -> (n + page - 1) / page).sum();
    long own = 0;
    for (int r = 0; r < rows.size(); r++) {
      int tokens = rows.get(r).length - prompts.get(r) / page * page;
      own += (tokens + page - 1) / page;
    }
    return shared + own;
  }

  @Test
  default void aRowDoesNotDependOnItsBatch() {
    ModelShape shape = new ModelShape(2, 48, 64, 4, 2, 32, 50, 1e-6, DType.FLOAT32);
    ReferenceDecoder model = new ReferenceDecoder(shape, false, true, true, POSITIONS, 1);
    Random random = new Random(8);
    int[] prompt = tokens(45, shape, random);
    List<int[]> rows = new ArrayList<>();
    for (int r = 0; r < 64; r++) {
      rows.add(tokens(6, shape, random));
    }
    try (Buffers b = buffers();
        ModelKernel kernel = kernels().model(device(), shape).orElseThrow();
        DecodeKernel decoder = kernel.decoder()) {
      kernel.setWeights(model.addresses(b));
      kernel.setRotary(b.floats(model.cosines), b.floats(model.sines), POSITIONS);
      long handle = store(b, decoder, model, prompt);
      decoder.admit(handle, 0, rows.size());
      float[] together = last(b, decoder, rows, shape);
      for (int r = 0; r < rows.size(); r += 13) {
        decoder.admit(handle, 0, 1);
        float[] alone = last(b, decoder, rows.subList(r, r + 1), shape);
        float[] same = Arrays.copyOfRange(together, r * shape.vocab(), (r + 1) * shape.vocab());
        for (int j = 0; j < alone.length; j++) {
          assertTrue(Math.abs(same[j] - alone[j]) <= batchTolerance(), "row " + r + " token " + j);
        }
      }
      decoder.freePrompt(handle);
    }
  }

  @Test
  default void changedWeightsTakeEffect() {
    ModelShape shape = new ModelShape(1, 32, 48, 2, 1, 16, 21, 1e-6, DType.FLOAT32);
    try (Buffers b = buffers();
        ModelKernel kernel = kernels().model(device(), shape).orElseThrow();
        DecodeKernel decoder = kernel.decoder()) {
      for (int seed = 1; seed < 3; seed++) {
        ReferenceDecoder model = new ReferenceDecoder(shape, false, true, true, POSITIONS, seed);
        kernel.setWeights(model.addresses(b));
        kernel.setRotary(b.floats(model.cosines), b.floats(model.sines), POSITIONS);
        decoder.admit(0, 0, 1);
        float[] logits = step(b, decoder, List.of(new int[] {3}), shape);
        double[] expected = model.logits(new int[] {3});
        for (int j = 0; j < shape.vocab(); j++) {
          assertEquals(expected[j], logits[j], 1e-4);
        }
      }
    }
  }

  @Test
  default void theDecoderRefusesBadArguments() {
    ModelShape shape = new ModelShape(1, 32, 48, 2, 1, 16, 21, 1e-6, DType.FLOAT32);
    ModelShape odd = new ModelShape(1, 32, 48, 3, 2, 16, 21, 1e-6, DType.FLOAT32);
    assertThrows(KernelException.class, () -> kernels().model(device(), odd));
    try (Buffers b = buffers();
        ModelKernel kernel = kernels().model(device(), shape).orElseThrow();
        DecodeKernel decoder = kernel.decoder()) {
      long logits = b.floats(new float[42]);
      long tokens = b.longs(1, 21);
      assertThrows(KernelException.class, () -> decoder.step(tokens, 1, logits, 21));
      ReferenceDecoder model = new ReferenceDecoder(shape, false, true, true, 2, 1);
      kernel.setWeights(model.addresses(b));
      kernel.setRotary(b.floats(model.cosines), b.floats(model.sines), 2);
      decoder.admit(0, 0, 2);
      assertThrows(KernelException.class, () -> decoder.admit(0, 3, 1));
      assertThrows(KernelException.class, () -> decoder.move(0, 2));
      assertThrows(KernelException.class, () -> decoder.step(tokens, 3, logits, 21));
      KernelException e =
          assertThrows(KernelException.class, () -> decoder.step(tokens, 2, logits, 21));
      assertTrue(e.getMessage().contains("row 1"), e.getMessage());
      decoder.admit(0, 0, 2);
      decoder.step(tokens, 1, logits, 21);
      decoder.step(tokens, 1, logits, 21);
      e = assertThrows(KernelException.class, () -> decoder.step(tokens, 1, logits, 21));
      assertTrue(e.getMessage().contains("position 2"), e.getMessage());
    }
  }

  private static int[] tokens(int count, ModelShape shape, Random random) {
    return random.ints(count, 0, shape.vocab()).toArray();
  }

  private static long store(Buffers b, DecodeKernel decoder, ReferenceDecoder model, int[] prompt) {
    ReferenceDecoder.Cache cache = model.cache(prompt.length);
    model.logits(prompt, cache);
    int width = model.shape.kvHeads() * model.shape.headDim();
    // A token's keys are followed by its values, as in the output of the engine's forward pass.
    float[] both = new float[model.shape.layers() * prompt.length * 2 * width];
    for (int l = 0; l < model.shape.layers(); l++) {
      for (int t = 0; t < prompt.length; t++) {
        int at = (l * prompt.length + t) * 2 * width;
        System.arraycopy(cache.keys()[l][t], 0, both, at, width);
        System.arraycopy(cache.values()[l][t], 0, both, at + width, width);
      }
    }
    long address = b.floats(both);
    return decoder.storePrompt(
        address,
        address + 4L * width,
        2L * width * prompt.length,
        2L * width,
        prompt.length,
        DType.FLOAT32);
  }

  /** Takes a step with the last token of each row. */
  private static float[] step(Buffers b, DecodeKernel decoder, List<int[]> rows, ModelShape shape) {
    long[] tokens = rows.stream().mapToLong(row -> row[row.length - 1]).toArray();
    long logits = b.floats(new float[rows.size() * shape.vocab()]);
    decoder.step(b.longs(tokens), rows.size(), logits, shape.vocab());
    return b.readFloats(logits, rows.size() * shape.vocab());
  }

  /** Logits after the last token of each row, whose tokens are appended one by one. */
  private static float[] last(Buffers b, DecodeKernel decoder, List<int[]> rows, ModelShape shape) {
    float[] logits = new float[0];
    for (int t = 0; t < rows.get(0).length; t++) {
      int at = t;
      logits = step(b, decoder, rows.stream().map(row -> new int[] {row[at]}).toList(), shape);
    }
    return logits;
  }
}
