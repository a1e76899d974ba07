/** Parquet tables as data files, behind {@link org.hirengine.replay.DataRowsProvider}. */
@NullMarked
package org.hirengine.engine.parquet;

import org.jspecify.annotations.NullMarked;
