/**
 * The kernels as sequences of LibTorch operators: the reference for the other kernels, and their
 * fallback.
 */
@NullMarked
package org.hirengine.engine.libtorch;

import org.jspecify.annotations.NullMarked;
