/** Diagnoses training: repeats a step's update row by row, and times a step's parts. */
@NullMarked
package org.hirengine.engine.diagnose;

import org.jspecify.annotations.NullMarked;
