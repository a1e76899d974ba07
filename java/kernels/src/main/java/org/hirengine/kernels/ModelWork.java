package org.hirengine.kernels;

import org.hirengine.kernels.ModelKernel.Keep;

/**
 * Work of a {@link ModelKernel} whose memory is asked for ({@link Kernels#modelMemory}).
 *
 * @param tokens of a packed batch
 * @param sequences of them that continue none
 * @param longest tokens of the longest sequence, what it continues counted
 * @param headRows rows of one {@link ModelKernel#logitsBackward}
 * @param decodeRows rows of a decoder's step
 * @param decodeLongest tokens of the longest of them
 */
public record ModelWork(
    long tokens,
    long sequences,
    long longest,
    Keep keep,
    long headRows,
    long decodeRows,
    long decodeLongest) {}
