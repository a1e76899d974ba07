package org.hirengine.engine.plan;

import org.hirengine.engine.model.ModelConfig;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.ModelKernel.Keep;
import org.hirengine.kernels.ModelMemory;
import org.hirengine.kernels.ModelWork;

/**
 * Estimates the memory of passes by LibTorch's operators, whose allocator cannot be asked
 * beforehand.
 */
final class Estimate {

  private Estimate() {}

  static ModelMemory of(ModelConfig model, DType dtype, ModelWork work) {
    long element = dtype.bytes;
    long hidden = model.hiddenSize();
    long query = (long) model.heads() * model.headDim();
    // Autograd keeps of each layer: both norms' inputs, normalized rows and outputs; queries, keys
    // and values before and after norm and rotation, attention's output; gates, ups, silu and
    // their product.
    long layer =
        element * (6 * hidden + 2L * model.qkvSize() + 2 * query + 4L * model.intermediateSize());
    long tokens = work.tokens();
    long kept =
        switch (work.keep()) {
          case NOTHING -> layer;
          case EVERYTHING -> layer * model.layers();
          case INPUTS -> layer + element * hidden * model.layers();
        };
    // The backward of one layer needs about as much again.
    long pass = tokens * (kept + (work.keep() == Keep.NOTHING ? 0 : layer));
    long head = work.headRows() * model.vocabSize() * element;
    long page =
        2L * model.layers() * model.kvHeads() * model.headDim() * element * ModelMemory.PAGE_TOKENS;
    long step = work.decodeRows() * layer;
    return new ModelMemory(0, pass, head, page, step, 0);
  }
}
