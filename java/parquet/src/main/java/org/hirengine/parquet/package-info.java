/** Parquet tables as data files, through {@link org.hirengine.replay.DataRowsProvider}. */
@NullMarked
package org.hirengine.parquet;

import org.jspecify.annotations.NullMarked;
