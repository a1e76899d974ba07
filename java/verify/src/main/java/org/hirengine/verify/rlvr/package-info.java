/** The functions that the rows of RLVR-IFeval name, with the rules of open-instruct's code. */
@NullMarked
package org.hirengine.verify.rlvr;

import org.jspecify.annotations.NullMarked;
