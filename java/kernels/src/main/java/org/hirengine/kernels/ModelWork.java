package org.hirengine.kernels;

import org.hirengine.kernels.ModelKernel.Keep;

/**
 * Work of a {@link ModelKernel}, for {@link Kernels#modelMemory}.
 *
 * @param tokens tokens of a packed batch
 * @param sequences its segments that continue no other
 * @param longest tokens of its longest sequence, including what it continues
 * @param keep what the forward pass keeps
 * @param headRows rows of one {@link ModelKernel#logitsBackward}
 * @param decodeRows rows of a decoder's step
 * @param decodeLongest tokens of the longest of those rows
 */
public record ModelWork(
    long tokens,
    long sequences,
    long longest,
    Keep keep,
    long headRows,
    long decodeRows,
    long decodeLongest) {}
