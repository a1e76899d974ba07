/**
 * Models and data sets by their Hugging Face Hub names: huggingface_hub's cache on this machine,
 * and downloads into it. Pure Java.
 */
@NullMarked
package org.hirengine.engine.hub;

import org.jspecify.annotations.NullMarked;
