/**
 * English as the reference verifiers analyse it: sentences, words, parts of speech, syllables, stop
 * words; and the language of a text. Python's semantics of text are in {@code org.hirengine.text}.
 */
@NullMarked
package org.hirengine.verify.text;

import org.jspecify.annotations.NullMarked;
