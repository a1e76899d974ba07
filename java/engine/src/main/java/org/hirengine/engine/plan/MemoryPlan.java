package org.hirengine.engine.plan;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.config.TrainSection;
import org.hirengine.engine.config.TrainSection.Recompute;
import org.jspecify.annotations.Nullable;

/**
 * The maximum memory of a run: with every prompt and every response as long as the limits allow.
 *
 * @param config as planned, with all memory settings decided
 * @param parts what takes memory of the device
 * @param host what takes the host's memory beside it; empty unless a GPU's optimizer is offloaded
 * @param transfers between host and GPU in an update; none unless its optimizer is offloaded
 * @param rows responses decoded at once if all become as long as they may
 * @param mostRows responses decoded at once at most
 * @param estimated whether activations are estimated, because the kernels cannot tell
 */
public record MemoryPlan(
    TrainConfig config,
    List<Part> parts,
    List<Part> host,
    @Nullable Transfers transfers,
    int rows,
    int mostRows,
    boolean estimated) {

  static final double GIB = 1L << 30;

  /**
   * What an update moves between host and GPU.
   *
   * @param down bytes to the host
   * @param up bytes to the GPU, at the same time
   */
  public record Transfers(long down, long up) {

    /**
     * Bytes a second each way: what PCIe 4.0 with 16 lanes reaches from page-locked memory. Not
     * measured here.
     */
    public static final double RATE = 25e9;

    /** How long they take at least, if the host's step is as fast. */
    public double seconds() {
      return Math.max(down, up) / RATE;
    }

    private String line() {
      return String.format(
          Locale.ROOT,
          "an update moves %s GiB to the host and %s GiB back: %.2f s at %.0f GB/s each way",
          gib(down),
          gib(up),
          seconds(),
          RATE / 1e9);
    }
  }

  public MemoryPlan {
    parts = List.copyOf(parts);
    host = List.copyOf(host);
  }

  /** Bytes of the host's memory beside a GPU's. */
  public long hostBytes() {
    return host.stream().mapToLong(Part::most).sum();
  }

  /** Bytes of a phase. */
  public long in(Phase phase) {
    return parts.stream().mapToLong(part -> part.in(phase)).sum();
  }

  /** Bytes of the phase that needs most. */
  public long peak() {
    return in(peakPhase());
  }

  /** The phase that needs most. */
  public Phase peakPhase() {
    Phase most = Phase.ROLLOUT;
    for (Phase phase : Phase.values()) {
      if (in(phase) > in(most)) {
        most = phase;
      }
    }
    return most;
  }

  /** A part's bytes in the phase that needs most of it; 0 where there is no such part. */
  public long part(String key) {
    return parts.stream().filter(p -> p.key().equals(key)).mapToLong(Part::most).sum();
  }

  /** A table: parts down, phases across, in GiB. */
  public List<String> table() {
    List<String> lines = new ArrayList<>();
    StringBuilder head = new StringBuilder("%-34s".formatted("GiB, at most"));
    for (Phase phase : Phase.values()) {
      head.append("%11s".formatted(phase.title()));
    }
    lines.add(head.toString());
    for (Part part : parts) {
      StringBuilder line = new StringBuilder("%-34s".formatted(part.what()));
      for (Phase phase : Phase.values()) {
        line.append("%11s".formatted(part.in(phase) == 0 ? "" : gib(part.in(phase))));
      }
      lines.add(line.toString());
    }
    StringBuilder sum = new StringBuilder("%-34s".formatted("together"));
    for (Phase phase : Phase.values()) {
      sum.append("%11s".formatted(gib(in(phase))));
    }
    lines.add(sum.toString());
    TrainSection train = config.train();
    lines.add(
        "%s rows decoded at once (sampling.cache_gib %s), %d tokens a micro-batch, %s%s"
            .formatted(
                rows == mostRows ? "" + rows : rows + " to " + mostRows,
                gib((long) (cacheGib() * GIB)),
                train.tokensAtOnce(),
                train.recompute() == Recompute.LAYERS
                    ? "layers recomputed"
                    : "activations kept (train.recompute none)",
                estimated ? "; activations are estimated" : ""));
    if (transfers != null) {
      lines.add(
          "in the host's memory %s GiB: %s"
              .formatted(
                  gib(hostBytes()),
                  host.stream()
                      .map(part -> part.what() + " " + gib(part.most()))
                      .collect(Collectors.joining(", "))));
      lines.add(transfers.line());
    }
    return lines;
  }

  private double cacheGib() {
    Double gib = config.sampling().cacheGib();
    return gib == null ? 0 : gib;
  }

  /** For other programs: {@code peak_gib}, each part and each phase. */
  public ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("peak_gib", rounded(peak()));
    json.put("peak_phase", peakPhase().name().toLowerCase(Locale.ROOT));
    ObjectNode byPart = json.putObject("parts_gib");
    parts.forEach(part -> byPart.put(part.key(), rounded(part.most())));
    ObjectNode phases = json.putObject("phases_gib");
    for (Phase phase : Phase.values()) {
      ObjectNode one = phases.putObject(phase.name().toLowerCase(Locale.ROOT));
      parts.forEach(part -> one.put(part.key(), rounded(part.in(phase))));
      one.put("together", rounded(in(phase)));
    }
    if (transfers != null) {
      ObjectNode byHostPart = json.putObject("host_gib");
      host.forEach(part -> byHostPart.put(part.key(), rounded(part.most())));
      byHostPart.put("together", rounded(hostBytes()));
      json.putObject("transfers")
          .put("down_gib", rounded(transfers.down))
          .put("up_gib", rounded(transfers.up))
          .put("gb_per_second", Transfers.RATE / 1e9)
          .put("seconds", transfers.seconds());
    }
    json.put("rows", rows);
    json.put("most_rows", mostRows);
    json.put("micro_tokens", config.train().tokensAtOnce());
    json.put("recompute", config.train().recompute().name().toLowerCase(Locale.ROOT));
    json.put("cache_gib", cacheGib());
    json.put("estimated", estimated);
    return json;
  }

  private static double rounded(long bytes) {
    return Math.round(bytes / GIB * 1e4) / 1e4;
  }

  /** Bytes as people read them, such as 5.87. */
  public static String gib(long bytes) {
    return String.format(Locale.ROOT, bytes < 10 * GIB ? "%.2f" : "%.1f", bytes / GIB);
  }
}
