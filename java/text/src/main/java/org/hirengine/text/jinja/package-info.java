/**
 * An interpreter of the Jinja that chat templates are written in, after jinja2's sandboxed
 * environment as transformers sets it up: {@code trim_blocks} and {@code lstrip_blocks} on, no
 * escaping, loop controls, {@code raise_exception} and {@code strftime_now}.
 *
 * <p>A template travels {@link org.hirengine.text.jinja.Lexer} to tokens, {@link
 * org.hirengine.text.jinja.TemplateParser} to a tree of statements and expressions, and the tree
 * renders itself against a {@link org.hirengine.text.jinja.Scope}. Values are plain Java objects
 * that stand for Python's: null for None, Boolean, Long, Double, String, List, Map, and a few
 * classes of this package. Nothing outside the interpreter can be reached from a template, and a
 * {@link org.hirengine.text.jinja.Budget} ends one that would run for ever.
 */
@NullMarked
package org.hirengine.text.jinja;

import org.jspecify.annotations.NullMarked;
