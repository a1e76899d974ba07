/**
 * Models and data sets by their names on the Hugging Face Hub: the cache that huggingface_hub keeps
 * on this machine, and the download into it. Pure Java.
 */
@NullMarked
package org.hirengine.engine.hub;

import org.jspecify.annotations.NullMarked;
