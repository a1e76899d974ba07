package org.hirengine.text.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Python's tuple; a {@link List} alone stands for Python's list.
 *
 * @param items its elements
 */
record PyTuple(List<@Nullable Object> items) {}
