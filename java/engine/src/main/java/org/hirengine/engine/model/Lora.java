package org.hirengine.engine.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.FrozenMatrix;
import org.jspecify.annotations.Nullable;

/**
 * A low-rank adapter (LoRA, arXiv 2106.09685) and the one owner of its weights: for each of its
 * projections A, fp32[rank, in], and B, fp32[out, rank]; the projection computes with W + scale B
 * A. All of them are views of one flat buffer and all gradients views of another, as the optimizer
 * needs them. In files they have PEFT's names and shapes.
 */
public final class Lora implements AutoCloseable {

  /** Name of the weights file in an adapter's folder. */
  public static final String FILE = "adapter_model.safetensors";

  private static final String PREFIX = "base_model.model.";
  private static final String A = ".lora_A.weight";
  private static final String B = ".lora_B.weight";
  private static final long ALIGNMENT = 16;

  /** The source of a policy's adapter. */
  public interface Source {

    /**
     * @param trainable with gradients
     */
    Lora open(ModelConfig model, Device device, boolean trainable);
  }

  /** A projection's tensors; no gradients if the adapter is frozen. */
  record Part(
      LoraConfig.Target target,
      Tensor a,
      Tensor b,
      @Nullable Tensor aGradient,
      @Nullable Tensor bGradient) {}

  private final LoraConfig config;
  private final Tensor values;
  private final @Nullable Tensor gradients;
  private final Map<String, Part> parts = new LinkedHashMap<>();
  private final Map<String, Tensor> parameters = new LinkedHashMap<>();
  private final Map<String, Tensor> parameterGradients = new LinkedHashMap<>();
  private final List<Tensor> owned = new ArrayList<>();
  private @Nullable Path base;

  private Lora(
      LoraConfig config, List<LoraConfig.Target> targets, Device device, boolean trainable) {
    NativeRuntime.load();
    this.config = config;
    long size = size(targets);
    try (PointerScope scope = new PointerScope()) {
      values = hold(Tensors.zeros(device, ScalarType.Float, size));
      gradients = trainable ? hold(Tensors.zeros(device, ScalarType.Float, size)) : null;
      long at = 0;
      for (LoraConfig.Target target : targets) {
        long[] ofA = {target.rank(), target.columns()};
        long[] ofB = {target.rows(), target.rank()};
        long atB = at + aligned(ofA[0] * ofA[1]);
        Part part =
            new Part(
                target,
                view(values, at, ofA),
                view(values, atB, ofB),
                gradients == null ? null : view(gradients, at, ofA),
                gradients == null ? null : view(gradients, atB, ofB));
        parts.put(target.weight(), part);
        parameters.put(PREFIX + target.module() + A, part.a);
        parameters.put(PREFIX + target.module() + B, part.b);
        if (part.aGradient != null && part.bGradient != null) {
          parameterGradients.put(PREFIX + target.module() + A, part.aGradient);
          parameterGradients.put(PREFIX + target.module() + B, part.bGradient);
        }
        at = atB + aligned(ofB[0] * ofB[1]);
      }
    }
  }

  /** Elements of the flat buffer of an adapter on these. */
  public static long size(List<LoraConfig.Target> targets) {
    long size = 0;
    for (LoraConfig.Target target : targets) {
      size += aligned(target.rank() * target.columns()) + aligned(target.rows() * target.rank());
    }
    return size;
  }

  private static long aligned(long count) {
    return (count + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  private Tensor hold(Tensor tensor) {
    owned.add(Tensors.own(tensor));
    return tensor;
  }

  private Tensor view(Tensor flat, long at, long[] shape) {
    try (Tensor part = flat.narrow(0, at, shape[0] * shape[1])) {
      return hold(part.view(shape));
    }
  }

  /** An adapter written by PEFT or by this engine. */
  public static Source at(Path folder) {
    return (model, device, trainable) -> read(folder, model, device, trainable);
  }

  /**
   * An adapter to be used and not trained.
   *
   * @throws ModelException also where every B is zero, so that the model would answer as without it
   */
  public static Source trained(Path folder) {
    return (model, device, trainable) -> {
      Lora lora = read(folder, model, device, trainable);
      if (lora.changesNothing()) {
        lora.close();
        throw new ModelException(
            folder.resolve(FILE) + ": every lora_B is zero, so the adapter changes nothing",
            "give an adapter that has been trained, or use the model without one");
      }
      return lora;
    };
  }

  /** Whether B is zero everywhere, as in an adapter that is new. */
  private boolean changesNothing() {
    for (Part part : parts.values()) {
      try (Tensor nonzero = part.b.count_nonzero()) {
        if (nonzero.item_long() > 0) {
          return false;
        }
      }
    }
    return true;
  }

  /**
   * A new adapter that changes nothing yet: B is zero, A is drawn as {@code torch.nn.Linear} draws
   * its weights, uniformly within 1 / sqrt(in). The same seed gives the same numbers everywhere.
   */
  public static Source fresh(LoraConfig config, long seed) {
    return (model, device, trainable) -> {
      Lora lora = new Lora(config, config.targets(model), device, trainable);
      SplittableRandom random = new SplittableRandom(seed);
      try (GradMode off = GradMode.disabled()) {
        for (Part part : lora.parts.values()) {
          double bound = 1 / Math.sqrt(part.target.columns());
          float[] drawn = new float[Math.toIntExact(part.a.numel())];
          for (int i = 0; i < drawn.length; i++) {
            drawn[i] = (float) random.nextDouble(-bound, bound);
          }
          try (Tensor flat = Tensors.of(drawn);
              Tensor shaped = flat.view(Tensors.shape(part.a))) {
            part.a.copy_(shaped);
          }
        }
      }
      return lora;
    };
  }

  private static Lora read(Path folder, ModelConfig model, Device device, boolean trainable) {
    LoraConfig config = LoraConfig.read(folder);
    List<LoraConfig.Target> targets = config.targets(model);
    Path file = folder.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      throw new ModelException(
          folder + ": holds no " + FILE,
          "give a folder as PEFT writes them with safe_serialization=True");
    }
    try (Safetensors stored = Safetensors.open(file)) {
      check(file, stored, targets);
      Lora lora = new Lora(config, targets, device, trainable);
      try {
        lora.parameters.forEach(stored::copyInto);
        return lora;
      } catch (RuntimeException e) {
        lora.close();
        throw e;
      }
    }
  }

  /** Refuses an incomplete adapter, or one of another model. */
  private static void check(Path file, Safetensors stored, List<LoraConfig.Target> targets) {
    Set<String> left = new HashSet<>(stored.names());
    if (left.isEmpty()) {
      throw new ModelException(file + ": holds no tensors", "train the adapter again: it is empty");
    }
    for (LoraConfig.Target target : targets) {
      check(file, stored, left, target, A, List.of((long) target.rank(), target.columns()));
      check(file, stored, left, target, B, List.of(target.rows(), (long) target.rank()));
    }
    if (!left.isEmpty()) {
      List<String> names = left.stream().sorted().toList();
      throw new ModelException(
          file
              + ": tensor "
              + names.get(0)
              + " has shape "
              + stored.shape(names.get(0))
              + " and no place in the adapter that "
              + LoraConfig.FILE
              + " describes ("
              + names.size()
              + " such of "
              + stored.names().size()
              + " tensors)",
          "give files of one adapter, and the model that it was trained on");
    }
  }

  private static void check(
      Path file,
      Safetensors stored,
      Set<String> left,
      LoraConfig.Target target,
      String which,
      List<Long> shape) {
    String name = PREFIX + target.module() + which;
    if (!left.remove(name)) {
      throw new ModelException(
          file + ": holds no tensor " + name + ", which " + LoraConfig.FILE + " asks for",
          "give files of one adapter, and the model that it was trained on");
    }
    if (!stored.shape(name).equals(shape)) {
      throw new ModelException(
          file + ": tensor " + name + " has shape " + stored.shape(name) + ", expected " + shape,
          "give files of one adapter, and the model that it was trained on");
    }
  }

  /** Sets the name of the base model for the adapter's configuration. */
  public Lora of(Path model) {
    base = model;
    return this;
  }

  /** The adapter's configuration. */
  public LoraConfig config() {
    return config;
  }

  /** All weights, fp32[n]: what the optimizer steps. Gaps between tensors are zero. */
  public Tensor values() {
    return values;
  }

  /** All gradients, fp32[n], at the offsets of {@link #values()}; none if it is frozen. */
  public @Nullable Tensor gradients() {
    return gradients;
  }

  /** Views of {@link #values()} by PEFT's names. */
  public Map<String, Tensor> parameters() {
    return Collections.unmodifiableMap(parameters);
  }

  /** Views of {@link #gradients()} by PEFT's names. */
  public Map<String, Tensor> parameterGradients() {
    return Collections.unmodifiableMap(parameterGradients);
  }

  /** The part for a weight, if there is one. */
  @Nullable Part part(String weight) {
    return parts.get(weight);
  }

  /** Makes autograd add to {@link #gradients()}, if LibTorch's operators run the passes. */
  void track() {
    for (Part part : parts.values()) {
      if (part.aGradient != null && part.bGradient != null) {
        part.a.set_requires_grad(true);
        part.a.mutable_grad().put(part.aGradient);
        part.b.set_requires_grad(true);
        part.b.mutable_grad().put(part.bGradient);
      }
    }
  }

  /** The same on another device or frozen: a copy. */
  Lora frozenCopy(Device device) {
    List<LoraConfig.Target> targets = parts.values().stream().map(Part::target).toList();
    Lora copy = new Lora(config, targets, device, false);
    copy.base = base;
    try (GradMode off = GradMode.disabled()) {
      copy.values.copy_(values);
    }
    return copy;
  }

  /** The matrix with this adapter's part. */
  FrozenMatrix on(FrozenMatrix base, String weight) {
    Part part = parts.get(weight);
    return part == null
        ? base
        : base.adapted(
            part.target.rank(),
            part.target.scale(),
            Tensors.address(part.a),
            Tensors.address(part.b),
            part.aGradient == null ? 0 : Tensors.address(part.aGradient),
            part.bGradient == null ? 0 : Tensors.address(part.bGradient));
  }

  /** W + scale B A for one of the adapted weights, in fp32; owned by the enclosing scope. */
  Tensor merged(Part part, Tensor weight) {
    Tensor sum = part.b.mm(part.a);
    sum.mul_(new org.bytedeco.pytorch.Scalar(part.target.scale()));
    sum.add_(weight);
    return sum;
  }

  /** The parts, by the weight's name. */
  Map<String, Part> parts() {
    return parts;
  }

  /**
   * Writes {@code adapter_config.json} and {@code adapter_model.safetensors} (float32), as PEFT
   * reads them, and reads the weights back: they must be those that were trained.
   */
  public void save(Path folder) {
    try {
      Files.createDirectories(folder);
      SafetensorsWriter.write(folder.resolve(FILE), parameters, Map.of("format", "pt"));
      checkWritten(folder.resolve(FILE));
      Path aside = folder.resolve(LoraConfig.FILE + ".tmp");
      Files.writeString(aside, config.text(base));
      Files.move(
          aside,
          folder.resolve(LoraConfig.FILE),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw ModelException.unwritable(folder, e);
    }
  }

  /** Refuses a file that does not have these weights, bit for bit. */
  void checkWritten(Path file) {
    try (Safetensors written = Safetensors.open(file)) {
      check(file, written, parts.values().stream().map(Part::target).toList());
      parameters.forEach(
          (name, values) -> {
            try (Tensor here = values.cpu();
                Tensor back = written.tensor(name);
                Tensor bits = here.view(ScalarType.Int);
                Tensor bitsBack = back.view(ScalarType.Int)) {
              if (!bits.equal(bitsBack)) {
                throw new ModelException(
                    file + ": tensor " + name + " reads back other numbers than were written",
                    "look at the disk, and save again");
              }
            }
          });
    }
  }

  @Override
  public void close() {
    owned.forEach(Tensor::close);
    owned.clear();
  }
}
