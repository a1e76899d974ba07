package org.hirengine.engine.model;

import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Weights of one decoder layer, as views of the flat buffer.
 *
 * @param inputNorm [d]
 * @param qkv [(heads + 2 kvHeads) * headDim, d]
 * @param qkvBias [(heads + 2 kvHeads) * headDim], Qwen2 only
 * @param queryNorm [headDim], Qwen3 only
 * @param keyNorm [headDim], Qwen3 only
 * @param output [d, heads * headDim]
 * @param postNorm [d]
 * @param gateUp [2 * intermediate, d]
 * @param down [d, intermediate]
 */
public record LayerWeights(
    Tensor inputNorm,
    Tensor qkv,
    @Nullable Tensor qkvBias,
    @Nullable Tensor queryNorm,
    @Nullable Tensor keyNorm,
    Tensor output,
    Tensor postNorm,
    Tensor gateUp,
    Tensor down) {}
