package org.hirengine.replay;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** One row of a data file, not yet parsed. */
public interface DataRow {

  /** Its place in the file from 1: a line of JSON Lines, an entry of an array or a table. */
  long number();

  /** The row as text, for setting it aside if it cannot be used. */
  String text();

  /**
   * The row as an object.
   *
   * @throws DataException if it is not one
   */
  ObjectNode parse();
}
