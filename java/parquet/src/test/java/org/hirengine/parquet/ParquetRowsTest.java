package org.hirengine.parquet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.NanoTime;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.api.Binary;
import org.hirengine.replay.BadRow;
import org.hirengine.replay.DataException;
import org.hirengine.replay.DataRow;
import org.hirengine.replay.DataRows;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionReader;
import org.hirengine.replay.JsonLines;
import org.hirengine.replay.Message;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ParquetRowsTest {

  @TempDir Path folder;

  private Path verl(CompressionCodecName codec, int rows, int groupRows) throws IOException {
    Path file = folder.resolve(codec + ".parquet");
    List<Consumer<Group>> all = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      int index = i;
      all.add(row -> ParquetTables.verlRow(row, index));
    }
    ParquetTables.write(file, ParquetTables.VERL, codec, groupRows, all);
    return file;
  }

  @ParameterizedTest
  @EnumSource(names = {"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "LZ4_RAW"})
  void verlTablesOfEveryCodec(CompressionCodecName codec) throws IOException {
    Path file = verl(codec, 25, 10);
    InstructionReader.Result read = new InstructionReader().read(file);
    assertEquals(25, read.instructions().size());
    assertEquals(List.of("verl type1"), List.copyOf(read.rows().keySet()));
    for (int i = 0; i < 25; i++) {
      Instruction x = read.instructions().get(i);
      assertEquals(String.valueOf(i), x.id());
      assertEquals("Write about the sea.", x.question());
      assertEquals(List.of("no comma", "at least 40 words"), x.criteria());
      assertEquals(new Message("system", "Be brief."), x.messages().get(0));
      assertEquals("length_constraints:number_words", x.constraints().get(1).id());
    }
    try (InputStream in = Files.newInputStream(file)) {
      assertEquals(read, new InstructionReader().read(in, file.toString()));
    }
  }

  @Test
  void everyKindOfValueBecomesJson() throws IOException {
    String schema =
        """
        message kinds {
          required boolean yes; required float f; required double d;
          required int32 date (DATE); required int32 small (INTEGER(8,false));
          required int64 big (INTEGER(64,false)); required int64 price (DECIMAL(12,2));
          required int32 clock (TIME(MILLIS,true)); required int64 utc (TIMESTAMP(MICROS,true));
          required int64 local (TIMESTAMP(NANOS,false)); required int96 old;
          required fixed_len_byte_array(16) uuid (UUID);
          required fixed_len_byte_array(2) half (FLOAT16);
          required fixed_len_byte_array(9) wide (DECIMAL(20,3));
          required binary choice (ENUM); required binary json (JSON); required binary plain;
          required binary raw; optional binary none (STRING);
          repeated int32 bare;
          optional group map (MAP) {
            repeated group key_value { required binary key (STRING); optional int32 value; }
          }
          optional group twoLevel (LIST) { repeated binary array (STRING); }
          optional group structs (LIST) { repeated group array { required int32 x; } }
          optional group nulls (LIST) { repeated group list { optional int32 element; } }
          optional group nested (LIST) {
            repeated group list {
              optional group element (LIST) { repeated group list { optional int32 element; } }
            }
          }
          optional group empty (LIST) { repeated group list { optional int32 element; } }
          optional group absent { optional int32 x; }
        }
        """;
    Path file = folder.resolve("kinds.parquet");
    ParquetTables.write(
        file, schema, CompressionCodecName.SNAPPY, 10, List.of(ParquetRowsTest::oneOfEach));
    String expected =
        "{'yes':true,'f':1.5,'d':-0.1,'date':'2024-02-29','small':200,"
            + "'big':18446744073709551615,'price':-12.34,'clock':'13:00:00.250',"
            + "'utc':'1969-12-31T23:59:59.999999Z','local':'2001-09-09T01:46:40.000000001',"
            + "'old':'1970-01-02T00:00:00.000000005Z',"
            + "'uuid':'00112233-4455-6677-8899-aabbccddeeff','half':-1.5,'wide':-0.001,"
            + "'choice':'B','json':'{}','plain':'über','raw':'/4A=',"
            + "'bare':[1,2],'map':{'a':1,'b':null},'twoLevel':['p','q'],"
            + "'structs':[{'x':7}],'nulls':[null,4],'nested':[[1,2],null,[]],'empty':[]}";
    assertEquals(
        expected.replace('\'', '"'),
        JsonLines.MAPPER.readTree(JsonLines.write(rows(file).get(0))).toString());
  }

  private static void oneOfEach(Group row) {
    row.append("yes", true).append("f", 1.5f).append("d", -0.1);
    row.append("date", 19_782).append("small", 200).append("big", -1L).append("price", -1234L);
    row.append("clock", 46_800_250).append("utc", -1L).append("local", 1_000_000_000_000_000_001L);
    row.append("old", new NanoTime(2_440_589, 5));
    byte[] uuid = new byte[16];
    for (int i = 0; i < 16; i++) {
      uuid[i] = (byte) (0x11 * i);
    }
    row.add("uuid", Binary.fromConstantByteArray(uuid));
    row.add("half", Binary.fromConstantByteArray(new byte[] {0, (byte) 0xBE}));
    byte[] minusOne = new byte[9];
    Arrays.fill(minusOne, (byte) -1);
    row.add("wide", Binary.fromConstantByteArray(minusOne));
    row.append("choice", "B").append("json", "{}").append("plain", "über");
    row.add("raw", Binary.fromConstantByteArray(new byte[] {(byte) 0xFF, (byte) 0x80}));
    row.append("bare", 1).append("bare", 2);
    Group map = row.addGroup("map");
    map.addGroup("key_value").append("key", "a").append("value", 1);
    map.addGroup("key_value").append("key", "b");
    row.addGroup("twoLevel").append("array", "p").append("array", "q");
    row.addGroup("structs").addGroup("array").append("x", 7);
    Group nulls = row.addGroup("nulls");
    nulls.addGroup("list");
    nulls.addGroup("list").append("element", 4);
    Group nested = row.addGroup("nested");
    Group pair = nested.addGroup("list").addGroup("element");
    pair.addGroup("list").append("element", 1);
    pair.addGroup("list").append("element", 2);
    nested.addGroup("list");
    nested.addGroup("list").addGroup("element");
    row.addGroup("empty");
  }

  private static List<ObjectNode> rows(Path file) throws IOException {
    List<ObjectNode> rows = new ArrayList<>();
    try (DataRows table = ParquetRows.open(file, "x")) {
      for (DataRow row = table.next(); row != null; row = table.next()) {
        assertEquals(rows.size() + 1, row.number());
        rows.add(row.parse());
      }
    }
    return rows;
  }

  @Test
  void badRowsNameTheirFieldAndAreSetAside() throws IOException {
    Path file = folder.resolve("bad.parquet");
    Consumer<Group> notText =
        row -> {
          ParquetTables.verlRow(row, 2);
          row.getGroup("extra_info", 0)
              .getGroup("criteria", 0)
              .addGroup("list")
              .add("element", Binary.fromConstantByteArray(new byte[] {(byte) 0xC3}));
        };
    Consumer<Group> noPrompt =
        row -> row.addGroup("reward_model").append("ground_truth", ParquetTables.TRUTH);
    ParquetTables.write(
        file,
        ParquetTables.VERL,
        CompressionCodecName.ZSTD,
        2,
        List.of(row -> ParquetTables.verlRow(row, 1), notText, noPrompt));
    DataException e = assertThrows(DataException.class, () -> new InstructionReader().read(file));
    assertEquals(
        file + ":2: field 'extra_info.criteria[2]': is text that is not valid UTF-8",
        e.getMessage());
    InstructionReader.Result kept = new InstructionReader().skippingBad().read(file);
    assertEquals(1, kept.instructions().size());
    assertEquals(List.of(2L, 3L), kept.bad().stream().map(BadRow::line).toList());
    assertTrue(kept.bad().get(1).reason().getMessage().contains("field 'prompt'"));
    assertTrue(kept.bad().get(1).text().startsWith("{\"reward_model\""));
  }

  @Test
  void brokenTablesSayWhatIsWrong() throws IOException {
    Path whole = verl(CompressionCodecName.SNAPPY, 40, 10);
    byte[] bytes = Files.readAllBytes(whole);
    Path broken = folder.resolve("broken.parquet");
    for (int length : new int[] {4, 11, 12, 50, bytes.length / 2, bytes.length - 1}) {
      Files.write(broken, Arrays.copyOf(bytes, length));
      String message = fault(broken);
      assertTrue(message.contains("truncated"), length + ": " + message);
    }
    byte[] footer = bytes.clone();
    Arrays.fill(footer, bytes.length - 60, bytes.length - 20, (byte) 0x5A);
    Files.write(broken, footer);
    assertTrue(fault(broken).startsWith(broken + ": has a footer that cannot be read"));
    byte[] text = "PAR1 is not always Parquet\n".getBytes(StandardCharsets.UTF_8);
    Files.write(broken, text);
    assertTrue(fault(broken).contains("does not end as one"));
  }

  /**
   * Whatever bytes are damaged, the result is the right rows or an error of a row, never another
   * exception.
   */
  @Test
  void damagedPagesAreFoundOut() throws IOException {
    List<Instruction> expected =
        new InstructionReader().read(verl(CompressionCodecName.ZSTD, 30, 10)).instructions();
    byte[] bytes = Files.readAllBytes(folder.resolve("ZSTD.parquet"));
    Path broken = folder.resolve("broken.parquet");
    Random random = new Random(3);
    int found = 0;
    for (int i = 0; i < 60; i++) {
      byte[] hit = bytes.clone();
      hit[4 + random.nextInt(bytes.length - 12)] ^= (byte) (1 << random.nextInt(8));
      Files.write(broken, hit);
      try {
        InstructionReader.Result read = new InstructionReader().read(broken);
        assertTrue(read.instructions().size() <= expected.size());
      } catch (DataException e) {
        assertTrue(e.getMessage().startsWith(broken.toString()), e.getMessage());
        found++;
      }
    }
    assertTrue(found > 20, found + " of 60 found out");
  }

  private static String fault(Path file) {
    return String.valueOf(
        assertThrows(DataException.class, () -> new InstructionReader().skippingBad().read(file))
            .getMessage());
  }

  @Test
  void aCodecThatIsNotReadIsNamed() throws IOException {
    DataException e =
        assertThrows(
            DataException.class,
            () -> new InstructionReader().read(verl(CompressionCodecName.LZO, 3, 10)));
    assertTrue(
        e.getMessage().contains("field 'data_source': is compressed with LZO"), e.toString());
    assertTrue(e.remedy().contains("ZSTD") && e.remedy().contains("no native library"), e.remedy());
  }

  @Test
  void copiesOfStreamsAreDeleted() throws IOException {
    Path file = verl(CompressionCodecName.UNCOMPRESSED, 3, 10);
    byte[] bytes = Files.readAllBytes(file);
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    List<Path> before = copies(temporary);
    for (byte[] content : new byte[][] {bytes, Arrays.copyOf(bytes, 100)}) {
      Files.write(file, content);
      try (InputStream in = Files.newInputStream(file)) {
        new InstructionReader().read(in, "-");
      } catch (DataException e) {
        assertFalse(Arrays.equals(bytes, content));
      }
    }
    assertArrayEquals(before.toArray(), copies(temporary).toArray());
  }

  private static List<Path> copies(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(x -> x.getFileName().toString().startsWith("hir-data")).sorted().toList();
    }
  }
}
