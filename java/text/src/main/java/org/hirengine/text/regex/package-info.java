/**
 * Regular expressions with the syntax and the meaning of Python's {@code re}, matched without
 * recursion over the text and under a step budget.
 *
 * <p>Constraint data reaches these patterns unescaped, so none of them may cause a stack overflow
 * or endless backtracking: a pattern is compiled to a small program and run on an explicit stack,
 * and every step is counted.
 */
@NullMarked
package org.hirengine.text.regex;

import org.jspecify.annotations.NullMarked;
