/**
 * Python's text semantics in one place, for the reference verifiers, chat templates and data sets
 * that rely on them. Needs only the JDK.
 */
@NullMarked
package org.hirengine.text;

import org.jspecify.annotations.NullMarked;
