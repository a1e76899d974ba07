/** What a run will need, before it begins: memory by part and phase, and what to change to fit. */
@NullMarked
package org.hirengine.engine.plan;

import org.jspecify.annotations.NullMarked;
