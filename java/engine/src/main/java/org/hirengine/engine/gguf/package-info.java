/**
 * GGUF model files: the format itself ({@link org.hirengine.engine.gguf.Gguf}), and a GGUF file
 * read as a Hugging Face model folder ({@link org.hirengine.engine.gguf.GgufModel}). Nothing here
 * needs LibTorch.
 */
@NullMarked
package org.hirengine.engine.gguf;

import org.jspecify.annotations.NullMarked;
