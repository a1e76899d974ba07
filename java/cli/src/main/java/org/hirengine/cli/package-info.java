/** The {@code hir} command: one small class per subcommand around the libraries. */
@NullMarked
package org.hirengine.cli;

import org.jspecify.annotations.NullMarked;
