package org.hirengine.engine.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.hirengine.engine.distributed.Shards;
import org.hirengine.engine.model.CompanionFiles;
import org.hirengine.engine.model.Lora;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.PolicyFiles;
import org.hirengine.engine.model.Safetensors;
import org.hirengine.engine.model.SafetensorsWriter;
import org.hirengine.engine.runs.RunException;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.engine.update.Optimizer;
import org.hirengine.kernels.DType;
import org.jspecify.annotations.Nullable;

/**
 * {@code checkpoints/step-N/}: the policy in Hugging Face layout (float32, whatever it computes
 * in), or its adapter in PEFT's layout where that alone is trained, the optimizer's moments, and
 * last of all {@code trainer.json}, without which a folder is no checkpoint. Each is written under
 * a temporary name, forced to disk and renamed, so a kill at any moment leaves the older ones
 * whole.
 */
public final class Checkpoints {

  /** The folder of the adapter that the run began with, where the reference policy has it. */
  static final String START = "reference";

  private static final String STATE = "trainer.json";
  private static final String MOMENTS = "optimizer.safetensors";
  private static final String MOMENT_TYPE = "moments";
  private static final String ASIDE = ".tmp-";
  private static final Pattern NAME = Pattern.compile("step-(\\d{1,9})");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private final int kept;

  /**
   * @param kept how many are kept, the newest ones
   */
  public Checkpoints(Path folder, int kept) {
    this.folder = folder;
    this.kept = kept;
  }

  /** Where the checkpoint of a step is, or would be. */
  Path path(int step) {
    return folder.resolve("step-" + step);
  }

  /**
   * The checkpoint of a step.
   *
   * @throws RunException when it is not there
   */
  Found at(int step) {
    Path path = path(step);
    if (!Files.isRegularFile(path.resolve(STATE))) {
      throw new RunException(
          path + ", which rank 0 continues from, is not to be seen from here",
          "put 'out' on a file system that all machines share");
    }
    return new Found(path, read(path.resolve(STATE)));
  }

  /** A checkpoint on disk. */
  public record Found(Path path, TrainerState state) {}

  /**
   * Writes a checkpoint, then drops those that are too old. Runs on the native thread.
   *
   * @param companions the tokenizer and templates that belong to the policy
   * @param start the adapter of the reference policy, if it has one
   */
  Path save(
      TrainerState state,
      Policy policy,
      Optimizer optimizer,
      CompanionFiles companions,
      @Nullable Lora start)
      throws IOException {
    Path target = path(state.step());
    Path aside = folder.resolve(ASIDE + target.getFileName());
    delete(aside);
    try {
      write(aside, state, policy, optimizer, companions, start);
    } catch (IOException | RuntimeException e) {
      // A full disk need not stay so.
      try {
        delete(aside);
      } catch (IOException more) {
        e.addSuppressed(more);
      }
      throw e;
    }
    delete(target);
    Files.move(aside, target, StandardCopyOption.ATOMIC_MOVE);
    force(folder, StandardOpenOption.READ);
    dropOld();
    return target;
  }

  private static void write(
      Path aside,
      TrainerState state,
      Policy policy,
      Optimizer optimizer,
      CompanionFiles companions,
      @Nullable Lora start)
      throws IOException {
    Files.createDirectories(aside);
    optimizer.gatherMasters();
    PolicyFiles.save(policy, DType.FLOAT32, companions, aside);
    if (start != null) {
      start.save(aside.resolve(START));
    }
    SafetensorsWriter.writeSources(
        aside.resolve(MOMENTS),
        moments(optimizer),
        Map.of(MOMENT_TYPE, optimizer.momentType().name().toLowerCase(Locale.ROOT)));
    Files.write(
        aside.resolve(STATE), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(state));
    force(aside);
  }

  /** The optimizer's moments; where ranks have shards of them, gathered when they are written. */
  private static Map<String, SafetensorsWriter.Source> moments(Optimizer optimizer) {
    Map<String, SafetensorsWriter.Source> sources = new LinkedHashMap<>();
    for (String name : optimizer.momentNames()) {
      long[] shape = {optimizer.dealt(name).size()};
      sources.put(
          name,
          SafetensorsWriter.source(
              Tensors.dtype(optimizer.moments(name)), shape, () -> optimizer.gatherMoments(name)));
    }
    return sources;
  }

  /**
   * What the ranks that do not write do while the first one saves: gives it their shards, in the
   * order in which it writes. Runs on the native thread.
   */
  static void giveShards(Optimizer optimizer) {
    if (optimizer.shards().whole()) {
      return;
    }
    optimizer.gatherMasters();
    SafetensorsWriter.order(moments(optimizer))
        .forEach(name -> optimizer.gatherMoments(name).close());
  }

  private void dropOld() throws IOException {
    List<Found> all = all();
    for (Found old : all.subList(0, Math.max(0, all.size() - kept))) {
      delete(old.path);
    }
  }

  /** Deletes what a kill left half written. */
  void clean() throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path entry :
          entries.filter(e -> e.getFileName().toString().startsWith(ASIDE)).toList()) {
        delete(entry);
      }
    }
  }

  /** The newest checkpoint, if there is one. */
  Optional<Found> latest() throws IOException {
    List<Found> all = all();
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
  }

  /** The newest checkpoint of a step before {@code step}. */
  public Optional<Found> latestBefore(int step) throws IOException {
    return all().stream().filter(f -> f.state.step() < step).reduce((a, b) -> b);
  }

  /** All whole checkpoints, oldest first. */
  private List<Found> all() throws IOException {
    List<Found> found = new ArrayList<>();
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        Matcher name = NAME.matcher(entry.getFileName().toString());
        if (name.matches() && Files.isRegularFile(entry.resolve(STATE))) {
          found.add(new Found(entry, read(entry.resolve(STATE))));
        }
      }
    }
    found.sort(Comparator.comparingInt(f -> f.state.step()));
    return found;
  }

  private static TrainerState read(Path file) {
    try {
      TrainerState state = JSON.readValue(file.toFile(), TrainerState.class);
      if (state.format() != TrainerState.FORMAT) {
        throw new RunException(
            file
                + " is of checkpoint format "
                + state.format()
                + ", this engine writes "
                + TrainerState.FORMAT,
            "continue with the engine that wrote it");
      }
      return state;
    } catch (IOException e) {
      throw new RunException(
          file + " cannot be read: " + e.getMessage(),
          "delete its folder to continue from the checkpoint before");
    }
  }

  /**
   * Fills the optimizer's moments and counter. Runs on the native thread.
   *
   * @throws RunException when the checkpoint's moments are of another type
   */
  public static void restore(Found checkpoint, Optimizer optimizer) {
    Path file = checkpoint.path.resolve(MOMENTS);
    try (Safetensors moments = Safetensors.open(file)) {
      String own = optimizer.momentType().name().toLowerCase(Locale.ROOT);
      String saved = moments.metadata().getOrDefault(MOMENT_TYPE, "float32");
      if (!saved.equals(own)) {
        throw new RunException(
            file + " holds moments of optim.moments " + saved + ", the configuration says " + own,
            "continue with optim.moments=" + saved + ", or start anew");
      }
      for (String name : optimizer.momentNames()) {
        Shards dealt = optimizer.dealt(name);
        moments.copyPart(name, dealt.size(), dealt.first(), optimizer.moments(name));
      }
    }
    optimizer.restore(checkpoint.state.updates());
  }

  /** Files before the folders that name them. */
  static void force(Path aside) throws IOException {
    try (Stream<Path> tree = Files.walk(aside)) {
      for (Path entry : tree.sorted(Comparator.reverseOrder()).toList()) {
        force(entry, Files.isDirectory(entry) ? StandardOpenOption.READ : StandardOpenOption.WRITE);
      }
    }
  }

  private static void force(Path path, StandardOpenOption mode) throws IOException {
    try (FileChannel channel = FileChannel.open(path, mode)) {
      channel.force(true);
    }
  }

  private static void delete(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(path)) {
      for (Path entry : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(entry);
      }
    }
  }
}
