package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import org.hirengine.replay.Instruction;
import org.hirengine.verify.Verifiers;

/** A benchmark's official tables, filled response by response, one set for each group of them. */
interface Report {

  /** Adds a response's verdicts. */
  void add(String group, Instruction instruction, Verifiers.Judged verdicts);

  /**
   * Prints the tables.
   *
   * @param counts what JSON holds beside them
   */
  void print(PrintWriter out, ScoreReport.Form form, ObjectNode counts);
}
