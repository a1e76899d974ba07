package org.hirengine.engine.train;

import java.io.IOException;
import java.nio.file.Path;
import org.hirengine.engine.model.CompanionFiles;
import org.hirengine.engine.model.ModelException;
import org.hirengine.engine.model.Policy;
import org.hirengine.kernels.DType;

/** Writes a policy with everything that other tools need: the Hugging Face layout. */
final class ModelFolder {

  private ModelFolder() {}

  /**
   * Saves the policy.
   *
   * @param companions the tokenizer and templates that belong to it
   */
  static void save(Policy policy, DType dtype, CompanionFiles companions, Path target) {
    policy.save(target, dtype);
    try {
      companions.write(target);
    } catch (IOException e) {
      throw ModelException.unwritable(target, e);
    }
  }
}
