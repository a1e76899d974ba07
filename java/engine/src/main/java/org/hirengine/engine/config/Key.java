package org.hirengine.engine.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.hirengine.engine.hub.Location;

/**
 * Documents a configuration key: a record component, named in snake case in YAML. The resolved
 * configuration is written with these texts as comments.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
@interface Key {

  /** What the key does, with its unit; one or two sentences. */
  String doc();

  /** Default as YAML; {@link #REQUIRED} for none. */
  String value() default "";

  /** Smallest allowed number. */
  double min() default Double.NEGATIVE_INFINITY;

  /** Largest allowed number. */
  double max() default Double.POSITIVE_INFINITY;

  /** On one key of a section: {@code section: x} is short for {@code section.key: x}. */
  boolean shorthand() default false;

  /** For a {@link Location}: what it may refer to. */
  Location.Kind kind() default Location.Kind.FILE;

  /** How "no value" is written where a key may have none. */
  String none() default "null";

  /** For a choice: what else is read as one of them, each {@code written=meant}. */
  String[] aliases() default {};

  /** For text: names, with commas between them or as a list, which is read as the same text. */
  boolean names() default false;

  /** Names in other trainers; used only in the error for an unknown key. */
  String[] elsewhere() default {};

  /** Marks a key without default. */
  String REQUIRED = "(required)";
}
