package org.hirengine.engine.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.Device;
import org.jspecify.annotations.Nullable;

/**
 * Causal attention over a packed batch: segments of similar length are gathered into a few padded
 * buckets, each one call of scaled dot product attention, and the results are put back in packed
 * order. Padding exists only inside attention and is at most a quarter of a bucket. Adjacent
 * segments of equal length are viewed instead of gathered.
 *
 * <p>A sliding window is a mask here: what it hides is computed all the same.
 */
final class AttentionPlan implements AutoCloseable {

  /** Shortest segment of a bucket, as a share of its longest. */
  private static final double SHORTEST = 0.75;

  /**
   * @param segments segments in it
   * @param queries padded length of a segment
   * @param keys padded length of a prefix and its segment
   * @param queryRows int64[segments * queries], packed rows; none when they are contiguous
   * @param keyRows int64[segments * keys]; none when the keys are the queries' own rows
   * @param firstRow packed row of the first query, if the rows are contiguous
   * @param mask bool[segments, 1, queries, keys], true where a query may attend to a key; none for
   *     plain causal attention
   */
  private record Bucket(
      int segments,
      int queries,
      int keys,
      @Nullable Tensor queryRows,
      @Nullable Tensor keyRows,
      int firstRow,
      @Nullable Tensor mask) {}

  private final ModelConfig config;
  private final PackedBatch batch;
  private final int window;
  private final int[] starts;
  private final Device device;
  private final boolean repeatKeys;
  private final List<Bucket> buckets = new ArrayList<>();
  private final @Nullable Tensor restore;

  /**
   * @param window how many tokens one sees, itself included; 0 for all before it
   */
  AttentionPlan(ModelConfig config, PackedBatch batch, int window, Device device) {
    this(config, batch, window, device, device.kind() == Device.Kind.CUDA);
  }

  /**
   * @param repeatKeys copy keys and values for each query head if there is a mask: LibTorch has no
   *     GPU kernel for a mask with grouped queries, and would store the scores of all pairs
   */
  AttentionPlan(
      ModelConfig config, PackedBatch batch, int window, Device device, boolean repeatKeys) {
    this.repeatKeys = repeatKeys;
    this.window = window;
    this.config = config;
    this.batch = batch;
    this.device = device;
    this.starts = batch.starts();
    int[] slots = new int[batch.tokens()];
    int slot = 0;
    for (List<Integer> members : split()) {
      Bucket bucket = bucket(members);
      buckets.add(bucket);
      for (int i = 0; i < members.size(); i++) {
        int segment = members.get(i);
        for (int t = 0; t < batch.lengths()[segment]; t++) {
          slots[starts[segment] + t] = slot + i * bucket.queries() + t;
        }
      }
      slot += members.size() * bucket.queries();
    }
    restore = isIdentity(slots, slot) ? null : index(slots);
  }

  /**
   * Segments by decreasing length; a new bucket starts at one that is much shorter than the
   * longest.
   */
  private List<List<Integer>> split() {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < batch.segments(); i++) {
      order.add(i);
    }
    order.sort(
        Comparator.<Integer>comparingInt(i -> batch.prefixes()[i] < 0 ? 0 : 1)
            .thenComparingInt(i -> -batch.lengths()[i]));
    List<List<Integer>> groups = new ArrayList<>();
    List<Integer> group = new ArrayList<>();
    for (int segment : order) {
      if (!group.isEmpty() && !fits(segment, group.get(0))) {
        groups.add(group);
        group = new ArrayList<>();
      }
      group.add(segment);
    }
    groups.add(group);
    return groups;
  }

  private boolean fits(int segment, int longest) {
    return (batch.prefixes()[segment] < 0) == (batch.prefixes()[longest] < 0)
        && batch.lengths()[segment] >= SHORTEST * batch.lengths()[longest];
  }

  private Bucket bucket(List<Integer> members) {
    int first = members.get(0);
    int queries = batch.lengths()[first];
    if (batch.prefixes()[first] < 0) {
      Tensor mask = window > 0 && window < queries ? mask(members, queries, queries) : null;
      if (isContiguous(members)) {
        return new Bucket(members.size(), queries, queries, null, null, starts[first], mask);
      }
      Tensor rows = index(rows(members, queries, false));
      return new Bucket(members.size(), queries, queries, rows, null, -1, mask);
    }
    int keys = 0;
    for (int segment : members) {
      keys = Math.max(keys, batch.prefixLength(segment) + batch.lengths()[segment]);
    }
    return new Bucket(
        members.size(),
        queries,
        keys,
        index(rows(members, queries, false)),
        index(rows(members, keys, true)),
        -1,
        mask(members, queries, keys));
  }

  private boolean isContiguous(List<Integer> members) {
    for (int i = 0; i < members.size(); i++) {
      if (members.get(i) != members.get(0) + i
          || batch.lengths()[members.get(i)] != batch.lengths()[members.get(0)]) {
        return false;
      }
    }
    return true;
  }

  /** Packed row of each slot of the bucket; padding points at row 0 and is never read. */
  private int[] rows(List<Integer> members, int width, boolean withPrefix) {
    int[] rows = new int[members.size() * width];
    for (int i = 0; i < members.size(); i++) {
      int segment = members.get(i);
      int at = i * width;
      if (withPrefix) {
        int prefix = batch.prefixes()[segment];
        for (int t = 0; t < batch.lengths()[prefix]; t++) {
          rows[at++] = starts[prefix] + t;
        }
      }
      for (int t = 0; t < batch.lengths()[segment]; t++) {
        rows[at++] = starts[segment] + t;
      }
    }
    return rows;
  }

  /**
   * Query i of a segment sees its prefix and the segment up to itself: keys 0 to prefix + i, of
   * those the last ones if there is a window. Padding sees what the last query sees: a row without
   * any key would be NaN.
   */
  private Tensor mask(List<Integer> members, int queries, int keys) {
    int[] last = new int[members.size() * queries];
    for (int i = 0; i < members.size(); i++) {
      int segment = members.get(i);
      for (int t = 0; t < queries; t++) {
        last[i * queries + t] =
            batch.prefixLength(segment) + Math.min(t, batch.lengths()[segment] - 1);
      }
    }
    int[] range = new int[keys];
    for (int k = 0; k < keys; k++) {
      range[k] = k;
    }
    try (PointerScope scope = new PointerScope()) {
      Tensor limit = index(last).view(members.size(), 1, queries, 1);
      return Tensors.own(LibTorchLayers.seen(index(range), limit, window));
    }
  }

  private static boolean isIdentity(int[] slots, int count) {
    for (int i = 0; i < slots.length; i++) {
      if (slots[i] != i) {
        return false;
      }
    }
    return count == slots.length;
  }

  private Tensor index(int[] values) {
    return Tensors.own(Tensors.to(device, Tensors.ofInts(values)));
  }

  /**
   * Attention of all segments.
   *
   * @param queryKey [T, (heads + kvHeads) * headDim], rotated
   * @param value [T, kvHeads * headDim]
   * @return [T, heads * headDim], owned by the enclosing scope
   */
  Tensor attend(Tensor queryKey, Tensor value) {
    TensorVector outputs = new TensorVector();
    for (Bucket bucket : buckets) {
      outputs.push_back(attend(bucket, queryKey, value));
    }
    Tensor all = buckets.size() == 1 ? outputs.get(0) : torch.cat(outputs, 0);
    return restore == null ? all : torch.embedding(all, restore);
  }

  private Tensor attend(Bucket bucket, Tensor queryKey, Tensor value) {
    long queryWidth = (long) config.heads() * config.headDim();
    long keyWidth = (long) config.kvHeads() * config.headDim();
    long places = (long) bucket.segments() * bucket.queries();
    Tensor query;
    Tensor key;
    Tensor values;
    if (bucket.keyRows() == null) {
      TensorVector parts =
          take(queryKey, bucket.queryRows(), bucket.firstRow(), places)
              .split_with_sizes(new long[] {queryWidth, keyWidth}, 1);
      query = parts.get(0);
      key = parts.get(1);
      values = take(value, bucket.queryRows(), bucket.firstRow(), places);
    } else {
      TensorVector parts = queryKey.split_with_sizes(new long[] {queryWidth, keyWidth}, 1);
      query = take(parts.get(0), bucket.queryRows(), -1, places);
      key = take(parts.get(1), bucket.keyRows(), -1, 0);
      values = take(value, bucket.keyRows(), -1, 0);
    }
    boolean grouped = config.heads() != config.kvHeads();
    boolean repeat = grouped && repeatKeys && bucket.mask() != null;
    Tensor mixed =
        torch.scaled_dot_product_attention(
            heads(query, bucket.segments(), bucket.queries(), config.heads()),
            keyHeads(key, bucket, repeat),
            keyHeads(values, bucket, repeat),
            bucket.mask() == null ? new TensorOptional() : new TensorOptional(bucket.mask()),
            0.0,
            bucket.mask() == null,
            new DoubleOptional(),
            grouped && !repeat);
    return mixed.transpose(1, 2).reshape(places, queryWidth);
  }

  /**
   * Rows by index, or a contiguous run of them. Uses an embedding look-up, whose backward is
   * parallel; that of index_select adds row by row.
   */
  private static Tensor take(Tensor rows, @Nullable Tensor index, int first, long count) {
    return index == null ? rows.narrow(0, first, count) : torch.embedding(rows, index);
  }

  private Tensor keyHeads(Tensor rows, Bucket bucket, boolean repeat) {
    Tensor heads = heads(rows, bucket.segments(), bucket.keys(), config.kvHeads());
    return repeat
        ? torch.repeat_interleave(
            heads, config.heads() / config.kvHeads(), new LongOptional(1), new LongOptional())
        : heads;
  }

  private Tensor heads(Tensor rows, long segments, long length, long heads) {
    return rows.view(segments, length, heads, config.headDim()).transpose(1, 2);
  }

  @Override
  public void close() {
    for (Bucket bucket : buckets) {
      for (Tensor tensor : Arrays.asList(bucket.queryRows(), bucket.keyRows(), bucket.mask())) {
        if (tensor != null) {
          tensor.close();
        }
      }
    }
    if (restore != null) {
      restore.close();
    }
  }
}
