/** Copying models between Hugging Face folders and GGUF files. */
@NullMarked
package org.hirengine.engine.convert;

import org.jspecify.annotations.NullMarked;
