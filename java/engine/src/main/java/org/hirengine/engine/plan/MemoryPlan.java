package org.hirengine.engine.plan;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.config.TrainSection;
import org.hirengine.engine.config.TrainSection.Recompute;

/**
 * The maximum memory of a run: with every prompt and every response as long as the limits allow.
 *
 * @param config as planned, with all memory settings decided
 * @param parts what takes memory
 * @param rows responses decoded at once
 * @param estimated whether activations are estimated, because the kernels cannot tell
 */
public record MemoryPlan(TrainConfig config, List<Part> parts, int rows, boolean estimated) {

  static final double GIB = 1L << 30;

  public MemoryPlan {
    parts = List.copyOf(parts);
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
        "%d rows decoded at once (sampling.cache_gib %s), %d tokens a micro-batch, %s%s"
            .formatted(
                rows,
                gib((long) (cacheGib() * GIB)),
                train.tokensAtOnce(),
                train.recompute() == Recompute.LAYERS
                    ? "layers recomputed"
                    : "activations kept (train.recompute none)",
                estimated ? "; activations are estimated" : ""));
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
    json.put("rows", rows);
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
