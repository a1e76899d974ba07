package org.hirengine.engine.experience;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.hirengine.engine.experience.Sampler.Scored;
import org.hirengine.engine.model.Scorer.Scores;
import org.hirengine.engine.rollout.Completion;
import org.hirengine.engine.rollout.Completion.FinishReason;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.jspecify.annotations.Nullable;

/** Encodes what ranks exchange about responses as bytes, with floats bit for bit. */
final class RankWire {

  private RankWire() {}

  /** Writes one result. */
  interface Writer<R> {
    void write(DataOutputStream out, R result) throws IOException;
  }

  /** Reads one result of an item of the step's list. */
  interface Reader<R> {
    R read(DataInputStream in, int item) throws IOException;
  }

  static <R> byte[] bytes(List<R> results, Writer<R> writer) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      for (R result : results) {
        writer.write(out, result);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e); // writing to memory does not fail
    }
    return bytes.toByteArray();
  }

  /** Items, each as its number and its {@code n} results. */
  static <R> byte[] bytes(List<Integer> items, List<R> results, int n, Writer<R> writer) {
    return bytes(
        IntStream.range(0, items.size()).boxed().toList(),
        (out, i) -> {
          out.writeInt(items.get(i));
          for (R result : results.subList(i * n, (i + 1) * n)) {
            writer.write(out, result);
          }
        });
  }

  /** The results of one rank, in the order of its items. */
  static final class Parcel {
    private final DataInputStream in;

    Parcel(byte[] bytes) {
      in = new DataInputStream(new ByteArrayInputStream(bytes));
    }

    boolean hasNext() {
      try {
        return in.available() > 0;
      } catch (IOException e) {
        throw new UncheckedIOException(e); // memory does not fail
      }
    }

    /** The number of the item whose results are next. */
    int nextItem() {
      return next((in, unknown) -> in.readInt(), -1);
    }

    <R> List<R> next(Reader<R> reader, int item, int n) {
      List<R> results = new ArrayList<>(n);
      for (int i = 0; i < n; i++) {
        results.add(next(reader, item));
      }
      return results;
    }

    <R> R next(Reader<R> reader, int item) {
      try {
        return reader.read(in, item);
      } catch (IOException e) {
        throw new UncheckedIOException("a rank sent fewer results than it was dealt items", e);
      }
    }
  }

  /** A sampled one: replays are made on every rank. */
  static void writeTrajectory(DataOutputStream out, Trajectory t) throws IOException {
    Completion completion = t.completion();
    out.writeInt(completion.promptId());
    out.writeInt(completion.row());
    write(out, completion.tokens());
    write(out, completion.logprobs());
    writeOptional(out, completion.entropies());
    out.writeInt(completion.finishReason().ordinal());
    write(out, t.response().text());
    writeJudges(out, t.judges());
    write(out, t.oldLogprobs());
    write(out, t.entropies());
    writeOptional(out, t.refLogprobs());
    Mismatch mismatch = t.mismatch();
    out.writeBoolean(mismatch != null);
    if (mismatch != null) {
      out.writeDouble(mismatch.sum());
      out.writeDouble(mismatch.max());
    }
  }

  static Trajectory readTrajectory(DataInputStream in, Task task, int prompt) throws IOException {
    return new Trajectory(
        task,
        prompt,
        new Completion(
            in.readInt(),
            in.readInt(),
            readInts(in),
            readFloats(in),
            readOptional(in),
            FinishReason.values()[in.readInt()]),
        Response.of(readText(in)),
        readJudges(in),
        readFloats(in),
        readFloats(in),
        readOptional(in),
        in.readBoolean() ? new Mismatch(in.readDouble(), in.readDouble()) : null,
        null);
  }

  static void writeAnswer(DataOutputStream out, Answer answer) throws IOException {
    write(out, answer.response().text());
    writeJudges(out, answer.judges());
    out.writeInt(answer.tokens());
    out.writeBoolean(answer.stopped());
    Double reference = answer.refLogprob();
    out.writeBoolean(reference != null);
    if (reference != null) {
      out.writeDouble(reference);
    }
  }

  static Answer readAnswer(DataInputStream in, Task task) throws IOException {
    return new Answer(
        task,
        Response.of(readText(in)),
        readJudges(in),
        in.readInt(),
        in.readBoolean(),
        in.readBoolean() ? in.readDouble() : null);
  }

  private static void writeJudges(DataOutputStream out, JudgeList judges) throws IOException {
    out.writeInt(judges.size());
    for (Verdict verdict : judges.verdicts()) {
      out.writeInt(verdict.outcome().ordinal());
      write(out, verdict.reason());
    }
  }

  private static JudgeList readJudges(DataInputStream in) throws IOException {
    int count = in.readInt();
    List<Verdict> verdicts = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      verdicts.add(new Verdict(Verdict.Outcome.values()[in.readInt()], readText(in)));
    }
    return new JudgeList(verdicts);
  }

  static void writeScores(DataOutputStream out, Scored scores) throws IOException {
    write(out, scores.policy().logprobs());
    write(out, scores.policy().entropies());
    writeOptional(out, scores.reference());
  }

  static Scored readScores(DataInputStream in) throws IOException {
    return new Scored(new Scores(readFloats(in), readFloats(in)), readOptional(in));
  }

  private static void write(DataOutputStream out, String text) throws IOException {
    out.writeInt(text.length());
    out.writeChars(text); // unlike UTF-8, this keeps lone surrogates
  }

  private static String readText(DataInputStream in) throws IOException {
    char[] text = new char[in.readInt()];
    for (int i = 0; i < text.length; i++) {
      text[i] = in.readChar();
    }
    return new String(text);
  }

  private static void write(DataOutputStream out, int[] values) throws IOException {
    out.writeInt(values.length);
    for (int value : values) {
      out.writeInt(value);
    }
  }

  private static int[] readInts(DataInputStream in) throws IOException {
    int[] values = new int[in.readInt()];
    for (int i = 0; i < values.length; i++) {
      values[i] = in.readInt();
    }
    return values;
  }

  private static void write(DataOutputStream out, float[] values) throws IOException {
    out.writeInt(values.length);
    for (float value : values) {
      out.writeInt(Float.floatToRawIntBits(value));
    }
  }

  private static float[] readFloats(DataInputStream in) throws IOException {
    float[] values = new float[in.readInt()];
    for (int i = 0; i < values.length; i++) {
      values[i] = Float.intBitsToFloat(in.readInt());
    }
    return values;
  }

  private static void writeOptional(DataOutputStream out, float @Nullable [] values)
      throws IOException {
    out.writeBoolean(values != null);
    if (values != null) {
      write(out, values);
    }
  }

  private static float @Nullable [] readOptional(DataInputStream in) throws IOException {
    return in.readBoolean() ? readFloats(in) : null;
  }
}
