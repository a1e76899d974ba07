package org.hirengine.engine.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Prompts with their responses, packed for the decoder, and which of its rows predict which
 * response tokens: the head runs only on those rows.
 *
 * @param packed the decoder's input
 * @param rows for every response token, sequences concatenated, the packed row whose hidden state
 *     predicts it
 * @param targets the response tokens themselves
 * @param offsets where each sequence's tokens begin in {@link #rows}, plus the total at the end
 */
public record ResponseBatch(PackedBatch packed, int[] rows, int[] targets, int[] offsets) {

  /** One prompt and one response to it, as token ids; neither is empty. */
  public interface Sequence {

    int[] prompt();

    int[] response();

    /** A pair of arrays, which are not copied. */
    static Sequence of(int[] prompt, int[] response) {
      return new Pair(prompt, response);
    }
  }

  private record Pair(int[] prompt, int[] response) implements Sequence {

    Pair {
      if (prompt.length == 0 || response.length == 0) {
        throw new IllegalArgumentException(
            "a prompt of " + prompt.length + " and a response of " + response.length + " tokens");
      }
    }
  }

  /** A prompt by its tokens. */
  private record Key(int[] tokens) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Key key && Arrays.equals(tokens, key.tokens);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(tokens);
    }
  }

  /**
   * Packs sequences.
   *
   * @param sharePrompts compute equal prompts once; otherwise every sequence includes its prompt
   */
  public static ResponseBatch pack(List<? extends Sequence> sequences, boolean sharePrompts) {
    Map<Key, Integer> uses = new HashMap<>();
    if (sharePrompts) {
      sequences.forEach(s -> uses.merge(new Key(s.prompt()), 1, Integer::sum));
    }
    Packer packer = new Packer();
    Map<Key, Integer> segments = new HashMap<>();
    for (Sequence sequence : sequences) {
      Key prompt = new Key(sequence.prompt());
      if (uses.getOrDefault(prompt, 1) == 1) {
        packer.whole(sequence);
      } else {
        int segment = segments.computeIfAbsent(prompt, key -> packer.segment(-1, key.tokens()));
        packer.continued(segment, sequence.response());
      }
    }
    return packer.finish();
  }

  /** Number of sequences. */
  public int sequences() {
    return offsets.length - 1;
  }

  /** Number of response tokens. */
  public int responseTokens() {
    return targets.length;
  }

  /** What {@link #pack} collects. The last token of a response predicts nothing and is omitted. */
  private static final class Packer {
    private final IntList ids = new IntList();
    private final IntList rows = new IntList();
    private final IntList targets = new IntList();
    private final IntList offsets = new IntList();
    private final IntList lengths = new IntList();
    private final IntList prefixes = new IntList();
    private final List<Integer> starts = new ArrayList<>();

    int segment(int prefix, int[] tokens) {
      starts.add(ids.size);
      ids.add(tokens, tokens.length);
      lengths.add(tokens.length);
      prefixes.add(prefix);
      return lengths.size - 1;
    }

    void whole(Sequence sequence) {
      int[] prompt = sequence.prompt();
      int[] tokens = Arrays.copyOf(prompt, prompt.length + sequence.response().length - 1);
      System.arraycopy(
          sequence.response(), 0, tokens, prompt.length, sequence.response().length - 1);
      int start = ids.size;
      segment(-1, tokens);
      predict(start + prompt.length - 1, start + prompt.length, sequence.response());
    }

    void continued(int prompt, int[] response) {
      int start = ids.size;
      if (response.length > 1) {
        segment(prompt, Arrays.copyOf(response, response.length - 1));
      }
      predict(starts.get(prompt) + lengths.values[prompt] - 1, start, response);
    }

    private void predict(int firstRow, int nextRow, int[] response) {
      offsets.add(rows.size);
      rows.add(firstRow);
      for (int t = 1; t < response.length; t++) {
        rows.add(nextRow + t - 1);
      }
      targets.add(response, response.length);
    }

    ResponseBatch finish() {
      offsets.add(rows.size);
      return new ResponseBatch(
          new PackedBatch(ids.toArray(), lengths.toArray(), prefixes.toArray()),
          rows.toArray(),
          targets.toArray(),
          offsets.toArray());
    }
  }

  private static final class IntList {
    private int[] values = new int[64];
    private int size;

    void add(int value) {
      if (size == values.length) {
        values = Arrays.copyOf(values, 2 * size);
      }
      values[size++] = value;
    }

    void add(int[] more, int count) {
      if (size + count > values.length) {
        values = Arrays.copyOf(values, Math.max(2 * values.length, size + count));
      }
      System.arraycopy(more, 0, values, size, count);
      size += count;
    }

    int[] toArray() {
      return Arrays.copyOf(values, size);
    }
  }
}
