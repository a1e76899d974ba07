/**
 * An interpreter of the Jinja that chat templates are written in, after jinja2's sandboxed
 * environment as transformers sets it up: {@code trim_blocks} and {@code lstrip_blocks} on, no
 * escaping, loop controls, {@code raise_exception} and {@code strftime_now}.
 *
 * <p>{@link org.hirengine.text.jinja.Lexer} turns a template into tokens, {@link
 * org.hirengine.text.jinja.TemplateParser} into a tree of statements and expressions, and the tree
 * renders itself in a {@link org.hirengine.text.jinja.Scope}. Values are plain Java objects that
 * represent Python's: null for None, Boolean, Long, Double, String, List, Map, and a few classes of
 * this package. Nothing outside the interpreter can be reached from a template, and a {@link
 * org.hirengine.text.jinja.Budget} stops one that would run forever.
 */
@NullMarked
package org.hirengine.text.jinja;

import org.jspecify.annotations.NullMarked;
