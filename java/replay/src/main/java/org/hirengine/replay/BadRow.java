package org.hirengine.replay;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A row of a data file that cannot be used and was set aside.
 *
 * @param file the file as the user named it
 * @param line its line from 1; in a JSON array or a Parquet table, its row
 * @param text the row as in the file, or as JSON if it is not text
 * @param reason what is wrong with it
 */
public record BadRow(String file, long line, String text, DataException reason) {

  /** One line of JSON: file, line, reason, remedy and text. */
  public String toJson() {
    ObjectNode row = JsonLines.MAPPER.createObjectNode();
    row.put("file", file)
        .put("line", line)
        .put("reason", reason.getMessage())
        .put("remedy", reason.remedy())
        .put("text", text);
    return JsonLines.write(row);
  }
}
