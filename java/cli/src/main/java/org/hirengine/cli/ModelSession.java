package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.hirengine.engine.config.ChatClock;
import org.hirengine.engine.model.Lora;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.PolicyFiles;
import org.hirengine.engine.rollout.RolloutEngine;
import org.hirengine.engine.rollout.StopIds;
import org.hirengine.engine.runtime.NativeExecutor;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.tokens.ChatTemplate;
import org.hirengine.engine.tokens.PromptEncoder;
import org.hirengine.engine.tokens.Tokenizer;
import org.hirengine.kernels.Kernels;
import org.jspecify.annotations.Nullable;

/**
 * A loaded model for one command: weights and kernels on their native thread, and, if text is
 * needed, tokenizer and chat template.
 */
final class ModelSession implements AutoCloseable {

  private static final Pattern WEIGHTS = Pattern.compile("\\.(safetensors|gguf)$");

  private final Path folder;
  private final StopSignal stop;
  private final NativeExecutor executor;
  private final Policy policy;
  private final Kernels kernels;
  private @Nullable Tokenizer tokenizer;
  private @Nullable PromptEncoder encoder;

  /**
   * @param stop ends long calls when the process is to end
   */
  ModelSession(ModelOptions options, StopSignal stop) {
    this(options.folder(), options.adapter(), options.place(), stop);
  }

  /**
   * @param adapter folder of the LoRA adapter on the model, or none
   */
  ModelSession(Path folder, @Nullable Path adapter, PlaceOptions place, StopSignal stop) {
    this.folder = folder;
    this.stop = stop;
    Policy.Options frozen = new Policy.Options(place.device(), place.dtype(), false);
    executor = new NativeExecutor(place.threads());
    try {
      kernels = executor.call(() -> NativeRuntime.kernels(place.device().kind()));
      policy =
          executor.call(
              () ->
                  adapter == null
                      ? PolicyFiles.load(folder, frozen)
                      : PolicyFiles.adapted(folder, frozen, Lora.trained(adapter)));
    } catch (RuntimeException e) {
      executor.close();
      throw e;
    }
  }

  Policy policy() {
    return policy;
  }

  Kernels kernels() {
    return kernels;
  }

  /** What ends long calls when the process is to end. */
  StopSignal stop() {
    return stop;
  }

  /** Runs a task on the native thread. */
  <T> T call(Callable<T> task) {
    stop.check();
    return executor.call(task);
  }

  /** Runs a task without result on the native thread. */
  void run(Runnable task) {
    executor.run(task);
  }

  /** The model's tokenizer, loaded on first use. */
  Tokenizer tokenizer() {
    if (tokenizer == null) {
      Tokenizer loaded = Tokenizer.load(folder);
      tokenizer = loaded;
      policy.config().checkTokenizer(folder, loaded.vocabularySize());
    }
    return tokenizer;
  }

  /** Tokenizer and chat template, loaded on first use. */
  PromptEncoder encoder() {
    if (encoder == null) {
      ChatTemplate template = ChatTemplate.load(folder).withClock(ChatClock.at(ChatClock.now()));
      encoder = new PromptEncoder(tokenizer(), template, Map.of());
    }
    return encoder;
  }

  /** The rollout engine, to be closed on the native thread. */
  RolloutEngine rolloutEngine() {
    return call(() -> new RolloutEngine(policy, kernels, stopIds(), tokenizer().vocabularySize()));
  }

  /** Every id that ends a response, from all files that name one. */
  Set<Integer> stopIds() {
    Set<Integer> ids = new LinkedHashSet<>();
    tokenizer().eosId().ifPresent(ids::add);
    encoder().endOfTurnId().ifPresent(ids::add);
    return StopIds.of(folder, policy.config(), ids);
  }

  /**
   * Identifies a model without reading all of it: by its path, and the size and time of its weight
   * files.
   */
  static void describe(Path model, @Nullable Path adapter, ObjectNode setup) throws IOException {
    setup.put("model", model.toAbsolutePath().normalize().toString());
    describe(model, setup.putArray("weights"));
    if (adapter != null) {
      setup.put("adapter", adapter.toAbsolutePath().normalize().toString());
      describe(adapter, setup.putArray("adapter_weights"));
    }
  }

  private static void describe(Path model, ArrayNode files) throws IOException {
    if (!Files.exists(model)) {
      return; // reported when it is loaded
    }
    try (Stream<Path> all = Files.walk(model, 1, FileVisitOption.FOLLOW_LINKS)) {
      all.filter(file -> WEIGHTS.matcher(file.getFileName().toString()).find())
          .sorted()
          .forEach(
              file ->
                  files.add(
                      file.getFileName()
                          + " "
                          + file.toFile().length()
                          + " "
                          + Instant.ofEpochMilli(file.toFile().lastModified())));
    }
  }

  @Override
  public void close() {
    executor.run(policy::close);
    executor.close();
    if (tokenizer != null) {
      tokenizer.close();
    }
  }
}
