/**
 * Python's semantics of text, once for all who need them: what the reference verifiers, chat
 * templates and data sets say in Python means the same here. Needs the JDK alone.
 */
@NullMarked
package org.hirengine.text;

import org.jspecify.annotations.NullMarked;
