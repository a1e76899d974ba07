/**
 * Hindsight instruction replay without a model: instructions and their prompt templates, the
 * rewriters, the selection of replays, and the readers of instruction data.
 */
@NullMarked
package org.hirengine.replay;

import org.jspecify.annotations.NullMarked;
