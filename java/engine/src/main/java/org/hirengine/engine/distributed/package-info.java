/** Processes that train together: joining them, sums and exchanges between them, their failures. */
@NullMarked
package org.hirengine.engine.distributed;

import org.jspecify.annotations.NullMarked;
