/**
 * The checkers of MulDimIF, which read their limits from the constraint's sentence itself.
 *
 * <p>{@link org.hirengine.verify.muldimif.MulDimIfTypes} names the checker of each category; a
 * checker turns one sentence ({@link org.hirengine.verify.muldimif.Demand}) into a verifier. It
 * looks for the wordings of its reference (github Junjie-Ye/MulDimIF, {@code Code/evaluation}; the
 * same in sastpg/HIR, {@code evaluation/MulDimIF}) in their order, with Python's meaning of regular
 * expressions: a new sentence gets the reference's verdict, quirks included. If no wording is
 * known, the verdict is the reference's default, and {@link
 * org.hirengine.verify.muldimif.NotUnderstood} says so.
 *
 * <p>Names in {@code code font} in these comments are the reference's.
 */
@NullMarked
package org.hirengine.verify.muldimif;

import org.jspecify.annotations.NullMarked;
