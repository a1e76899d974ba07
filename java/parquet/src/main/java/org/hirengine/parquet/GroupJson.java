package org.hirengine.parquet;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BigIntegerNode;
import com.fasterxml.jackson.databind.node.BinaryNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.FloatNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.time.temporal.JulianFields;
import java.util.UUID;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.DateLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.DecimalLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.EnumLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.Float16LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.JsonLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.ListLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.MapKeyValueTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.MapLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.StringLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimestampLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.UUIDLogicalTypeAnnotation;
import org.apache.parquet.schema.Type;
import org.hirengine.replay.JsonLines;

/**
 * A row of a table as JSON. Structs and maps become objects, lists arrays, dates and times their
 * ISO 8601 text, bytes that are no text base64.
 *
 * <p>A null field of a struct is left out: a column's type is the union over all rows, so null
 * means that the row has no such field. Null in a list is kept.
 */
final class GroupJson {

  private GroupJson() {}

  /** A value that JSON cannot represent, and its place. */
  static final class ValueException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final String field;
    private final String problem;

    ValueException(String field, String problem) {
      super(field + " " + problem);
      this.field = field;
      this.problem = problem;
    }

    String field() {
      return field;
    }

    String problem() {
      return problem;
    }
  }

  static ObjectNode object(Group row) {
    return object(row, "");
  }

  private static ObjectNode object(Group group, String path) {
    ObjectNode object = JsonLines.MAPPER.createObjectNode();
    GroupType type = group.getType();
    for (int i = 0; i < type.getFieldCount(); i++) {
      Type field = type.getType(i);
      String at = path + field.getName();
      if (field.isRepetition(Type.Repetition.REPEATED)) {
        // A list without an annotation: the field itself repeats.
        ArrayNode array = object.putArray(field.getName());
        for (int k = 0; k < group.getFieldRepetitionCount(i); k++) {
          array.add(value(group, i, k, at + "[" + k + "]"));
        }
      } else if (group.getFieldRepetitionCount(i) > 0) {
        object.set(field.getName(), value(group, i, 0, at));
      }
    }
    return object;
  }

  /** The {@code k}th value of field {@code i}. */
  private static JsonNode value(Group group, int i, int k, String path) {
    Type type = group.getType().getType(i);
    if (type.isPrimitive()) {
      return primitive(group, i, k, path);
    }
    Group inner = group.getGroup(i, k);
    LogicalTypeAnnotation meaning = type.getLogicalTypeAnnotation();
    if (meaning instanceof ListLogicalTypeAnnotation && repeats(inner)) {
      return list(inner, path);
    }
    boolean map =
        meaning instanceof MapLogicalTypeAnnotation || meaning instanceof MapKeyValueTypeAnnotation;
    return map && repeats(inner) ? map(inner, path) : object(inner, path + ".");
  }

  private static boolean repeats(Group group) {
    return group.getType().getFieldCount() == 1
        && group.getType().getType(0).isRepetition(Type.Repetition.REPEATED);
  }

  /**
   * Entries of a list. Writers wrap them in a group of one field; older writers do not, which the
   * format's rules for backward compatibility recognise by names and field counts.
   */
  private static ArrayNode list(Group list, String path) {
    Type repeated = list.getType().getType(0);
    boolean wrapped =
        !repeated.isPrimitive()
            && repeated.asGroupType().getFieldCount() == 1
            && !repeated.asGroupType().getType(0).isRepetition(Type.Repetition.REPEATED)
            && !repeated.getName().equals("array")
            && !repeated.getName().equals(list.getType().getName() + "_tuple");
    ArrayNode array = JsonLines.MAPPER.createArrayNode();
    for (int k = 0; k < list.getFieldRepetitionCount(0); k++) {
      String at = path + "[" + k + "]";
      if (!wrapped) {
        array.add(value(list, 0, k, at));
        continue;
      }
      Group entry = list.getGroup(0, k);
      array.add(entry.getFieldRepetitionCount(0) == 0 ? NullNode.instance : value(entry, 0, 0, at));
    }
    return array;
  }

  private static ObjectNode map(Group map, String path) {
    ObjectNode object = JsonLines.MAPPER.createObjectNode();
    for (int k = 0; k < map.getFieldRepetitionCount(0); k++) {
      Group entry = map.getGroup(0, k);
      String key = value(entry, 0, 0, path + "[" + k + "] key").asText();
      boolean present = entry.getType().getFieldCount() > 1 && entry.getFieldRepetitionCount(1) > 0;
      object.set(key, present ? value(entry, 1, 0, path + "." + key) : NullNode.instance);
    }
    return object;
  }

  private static JsonNode primitive(Group group, int i, int k, String path) {
    Type type = group.getType().getType(i);
    LogicalTypeAnnotation meaning = type.getLogicalTypeAnnotation();
    return switch (type.asPrimitiveType().getPrimitiveTypeName()) {
      case BOOLEAN -> BooleanNode.valueOf(group.getBoolean(i, k));
      case FLOAT -> FloatNode.valueOf(group.getFloat(i, k));
      case DOUBLE -> DoubleNode.valueOf(group.getDouble(i, k));
      case INT32 -> integer(group.getInteger(i, k), true, meaning);
      case INT64 -> integer(group.getLong(i, k), false, meaning);
      case INT96 -> new TextNode(oldTimestamp(group.getInt96(i, k)));
      case BINARY, FIXED_LEN_BYTE_ARRAY -> bytes(group.getBinary(i, k), meaning, path);
    };
  }

  private static JsonNode integer(long value, boolean half, LogicalTypeAnnotation meaning) {
    if (meaning instanceof DecimalLogicalTypeAnnotation decimal) {
      return DecimalNode.valueOf(BigDecimal.valueOf(value, decimal.getScale()));
    }
    if (meaning instanceof DateLogicalTypeAnnotation) {
      return new TextNode(LocalDate.ofEpochDay(value).toString());
    }
    if (meaning instanceof TimeLogicalTypeAnnotation time) {
      return new TextNode(LocalTime.MIDNIGHT.plus(value, unit(time.getUnit())).toString());
    }
    if (meaning instanceof TimestampLogicalTypeAnnotation time) {
      Instant instant = Instant.EPOCH.plus(value, unit(time.getUnit()));
      return new TextNode(
          time.isAdjustedToUTC()
              ? instant.toString()
              : LocalDateTime.ofInstant(instant, ZoneOffset.UTC).toString());
    }
    boolean unsigned = meaning instanceof IntLogicalTypeAnnotation integer && !integer.isSigned();
    if (half) {
      return unsigned ? new LongNode(value & 0xFFFF_FFFFL) : new IntNode((int) value);
    }
    return unsigned && value < 0
        ? BigIntegerNode.valueOf(new BigInteger(Long.toUnsignedString(value)))
        : new LongNode(value);
  }

  private static ChronoUnit unit(TimeUnit unit) {
    return switch (unit) {
      case MILLIS -> ChronoUnit.MILLIS;
      case MICROS -> ChronoUnit.MICROS;
      case NANOS -> ChronoUnit.NANOS;
    };
  }

  /** Nanoseconds of the day, then the Julian day: the old form of timestamps. */
  private static String oldTimestamp(Binary value) {
    ByteBuffer bytes = value.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    long nanos = bytes.getLong();
    LocalDate day = LocalDate.EPOCH.with(JulianFields.JULIAN_DAY, bytes.getInt());
    return day.atStartOfDay().plusNanos(nanos).toInstant(ZoneOffset.UTC).toString();
  }

  /** Of IEEE 754's 16 bits: sign, 5 of exponent, 10 of fraction. */
  private static float half(short bits) {
    int exponent = bits >> 10 & 0x1F;
    int fraction = bits & 0x3FF;
    float size;
    if (exponent == 0x1F) {
      size = fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
    } else if (exponent == 0) {
      size = fraction * 0x1p-24f;
    } else {
      size = Math.scalb(1 + fraction * 0x1p-10f, exponent - 15);
    }
    return bits < 0 ? -size : size;
  }

  private static JsonNode bytes(Binary value, LogicalTypeAnnotation meaning, String path) {
    if (meaning instanceof DecimalLogicalTypeAnnotation decimal) {
      return DecimalNode.valueOf(
          new BigDecimal(new BigInteger(value.getBytes()), decimal.getScale()));
    }
    if (meaning instanceof UUIDLogicalTypeAnnotation) {
      ByteBuffer bytes = value.toByteBuffer();
      return new TextNode(new UUID(bytes.getLong(), bytes.getLong()).toString());
    }
    if (meaning instanceof Float16LogicalTypeAnnotation) {
      return FloatNode.valueOf(
          half(value.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN).getShort()));
    }
    boolean text =
        meaning instanceof StringLogicalTypeAnnotation
            || meaning instanceof EnumLogicalTypeAnnotation
            || meaning instanceof JsonLogicalTypeAnnotation;
    try {
      // Bytes without an annotation are text if they are valid UTF-8: some writers omit the
      // annotation.
      return new TextNode(
          StandardCharsets.UTF_8.newDecoder().decode(value.toByteBuffer()).toString());
    } catch (CharacterCodingException e) {
      if (text) {
        throw new ValueException(path, "is text that is not valid UTF-8");
      }
      return BinaryNode.valueOf(value.getBytes());
    }
  }
}
