/**
 * Text to token ids and back: the tokenizer of a model folder, its chat template, and the encoding
 * of instructions as prompts.
 */
@NullMarked
package org.hirengine.engine.tokens;

import org.jspecify.annotations.NullMarked;
