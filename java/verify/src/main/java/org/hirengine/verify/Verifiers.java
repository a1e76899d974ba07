package org.hirengine.verify;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import org.hirengine.text.Similar;
import org.hirengine.verify.ifbench.IfBenchTypes;
import org.hirengine.verify.ifbench.Revision;
import org.hirengine.verify.ifeval.IfEvalTypes;
import org.hirengine.verify.iftrain.IfTrainTypes;
import org.hirengine.verify.judge.ModelJudge;
import org.hirengine.verify.muldimif.MulDimIfTypes;
import org.hirengine.verify.rlvr.RlvrTypes;
import org.hirengine.verify.rule.BinaryType;
import org.jspecify.annotations.Nullable;

/**
 * All constraint types by benchmark and id, and the verification of responses with them.
 *
 * <p>Judging never throws: a check that throws, returns nothing or overruns its step budget, and an
 * unknown constraint, become verdicts; only errors of the virtual machine itself are thrown. Safe
 * for use by any number of threads.
 */
public final class Verifiers {

  /** A response longer than this many UTF-16 units is not checked; models write far less. */
  static final int MAX_LENGTH = 4_000_000;

  /**
   * Size of the cache of parsed constraints; an instruction's are parsed once for all its
   * responses.
   */
  private static final int CACHE_SIZE = 4096;

  private final Map<String, Map<String, ConstraintType>> types;
  private final TextTools tools;
  private final Unread unread;
  private final Map<ConstraintSpec, Parsed> cache = new ConcurrentHashMap<>();
  private final Map<String, LongAdder> failures = new ConcurrentHashMap<>();
  private final Map<String, LongAdder> notUnderstood = new ConcurrentHashMap<>();
  private final @Nullable ModelJudge judge;

  private Verifiers(Builder builder, TextTools tools) {
    this.tools = tools;
    this.judge = builder.judge;
    this.unread = builder.unread;
    this.types = new LinkedHashMap<>();
    // IFTrain's rows mix its own types with IFEval's, as its reference's registry does.
    for (ConstraintType type : IfEvalTypes.all(tools)) {
      add("ifeval", type);
      add("iftrain", type);
    }
    IfTrainTypes.all(tools).forEach(type -> add("iftrain", type));
    for (Revision revision : Revision.values()) {
      IfBenchTypes.all(tools, revision).forEach(type -> add(revision.bench(), type));
    }
    RlvrTypes.all(tools).forEach(type -> add(ConstraintJson.RLVR, type));
    MulDimIfTypes.all(tools).forEach(type -> add(ConstraintJson.MULDIMIF, type));
    for (ConstraintTypeProvider provider : providers()) {
      provider.types(tools).forEach(type -> add(provider.bench(), type));
    }
    builder.extra.forEach(entry -> add(entry.bench, entry.type));
  }

  /**
   * Providers visible to this class's loader, then those that the thread's context loader adds. The
   * context loader alone may see none of them, as in a thread pool of a packaged application, or
   * may have its own copy of this library.
   */
  private static Collection<ConstraintTypeProvider> providers() {
    Map<Class<?>, ConstraintTypeProvider> found = new LinkedHashMap<>();
    ClassLoader own = Verifiers.class.getClassLoader();
    ClassLoader context = Thread.currentThread().getContextClassLoader();
    for (ClassLoader loader : seesThisLibrary(context) ? List.of(own, context) : List.of(own)) {
      ServiceLoader.load(ConstraintTypeProvider.class, loader)
          .forEach(provider -> found.putIfAbsent(provider.getClass(), provider));
    }
    return found.values();
  }

  private static boolean seesThisLibrary(@Nullable ClassLoader loader) {
    try {
      return loader != null
          && loader.loadClass(ConstraintTypeProvider.class.getName())
              == ConstraintTypeProvider.class;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  private void add(String bench, ConstraintType type) {
    types.computeIfAbsent(bench, b -> new LinkedHashMap<>()).put(type.id(), type);
  }

  /** All standard types, with the text data of the environment ({@code NLTK_DATA}). */
  public static Verifiers standard() {
    return Standard.INSTANCE;
  }

  private static final class Standard {
    static final Verifiers INSTANCE = make();

    private static Verifiers make() {
      try {
        return builder().build();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Builds {@link Verifiers}. */
  public static final class Builder {
    private @Nullable Path textData;
    private @Nullable ModelJudge judge;
    private Unread unread = Unread.REFERENCE;
    private final List<Extra> extra = new ArrayList<>();

    private record Extra(String bench, ConstraintType type) {}

    private Builder() {}

    /** Reads Punkt, tagger and word lists from this folder in NLTK's layout. */
    public Builder textData(Path folder) {
      textData = folder;
      return this;
    }

    /**
     * How to treat constraints that are not understood; by default they get the reference's
     * verdict.
     */
    public Builder unread(Unread unread) {
      this.unread = unread;
      return this;
    }

    /** Adds a type, or replaces the one with its id. */
    public Builder type(String bench, ConstraintType type) {
      extra.add(new Extra(bench, type));
      return this;
    }

    /**
     * Adds a type without parameters whose rule is a function.
     *
     * @param sentence the constraint as an instruction to the model, ending with a full stop
     */
    public Builder rule(String bench, String id, String sentence, Verifier rule) {
      return type(
          bench,
          new BinaryType(id, sentence) {
            @Override
            protected Verdict check(Response response) {
              return rule.check(response);
            }
          });
    }

    /** Adds the benchmark {@code judge}: constraints in words that a language model judges. */
    public Builder judge(ModelJudge judge) {
      this.judge = judge;
      return type(ModelJudge.BENCH, judge.type());
    }

    /**
     * @throws IOException if text data cannot be read
     */
    public Verifiers build() throws IOException {
      TextTools tools = textData == null ? TextTools.standard() : TextTools.of(textData);
      return new Verifiers(this, tools);
    }
  }

  /** The analysers these verifiers use. */
  public TextTools tools() {
    return tools;
  }

  /** The judge of constraints in words, if there is one. */
  public Optional<ModelJudge> judge() {
    return Optional.ofNullable(judge);
  }

  /** The benchmarks that have types. */
  public Set<String> benches() {
    return Collections.unmodifiableSet(types.keySet());
  }

  /** A benchmark's types, in its own order; none for an unknown benchmark. */
  public Collection<ConstraintType> types(String bench) {
    return Collections.unmodifiableCollection(types.getOrDefault(bench, Map.of()).values());
  }

  public Optional<ConstraintType> type(String bench, String id) {
    return Optional.ofNullable(types.getOrDefault(bench, Map.of()).get(id));
  }

  /**
   * Builds the verifier of one constraint.
   *
   * @throws NotUnderstoodException if no rule understands its words and {@link Unread#NO_VERDICT}
   *     applies
   * @throws IllegalArgumentException if the benchmark or id is unknown, or a kwarg is missing or
   *     wrong
   */
  public Verifier parse(ConstraintSpec constraint) {
    return parsed(constraint).verifier;
  }

  /** A constraint's verifier, and whether its type is {@link ConstraintType#verbatim}. */
  private record Parsed(Verifier verifier, boolean verbatim) {}

  private Parsed parsed(ConstraintSpec constraint) {
    Parsed cached = cache.get(constraint);
    if (cached != null) {
      return cached;
    }
    ConstraintType type =
        type(constraint.bench(), constraint.id())
            .orElseThrow(() -> new IllegalArgumentException(unknown(constraint)));
    Parsed parsed;
    try {
      parsed = new Parsed(type.parse(constraint.kwargs()), type.verbatim());
    } catch (IllegalArgumentException e) {
      throw e;
    } catch (RuntimeException | Error e) { // such as a step budget spent on its words
      throwIfFatal(e);
      throw new IllegalArgumentException(type.id() + ": kwargs cannot be read: " + e, e);
    }
    if (parsed.verifier == null) {
      throw new IllegalArgumentException(type.id() + ": its parse returns no verifier");
    }
    Optional<String> why =
        unread == Unread.NO_VERDICT ? parsed.verifier.unread() : Optional.empty();
    if (why.isPresent()) {
      throw new NotUnderstoodException(type.id() + ": " + why.get());
    }
    if (cache.size() >= CACHE_SIZE) {
      cache.clear();
    }
    cache.put(constraint, parsed);
    return parsed;
  }

  private String unknown(ConstraintSpec constraint) {
    String bench = constraint.bench();
    if (bench.equals(ModelJudge.BENCH) && constraint.id().equals(ModelJudge.CRITERION)) {
      return "no judge is set: give "
          + ModelJudge.URL_VARIABLE
          + " and "
          + ModelJudge.MODEL_VARIABLE;
    }
    if (bench.equals(ModelJudge.BENCH)) {
      return "'" + constraint.id() + "' is nothing that a judge could decide";
    }
    if (!types.containsKey(bench)) {
      return "unknown benchmark '" + bench + "', known are " + String.join(", ", types.keySet());
    }
    return "unknown constraint id '" + constraint.id() + "' of " + bench + hint(constraint);
  }

  /** What an unknown id probably means: one of another benchmark, or the nearest. */
  private String hint(ConstraintSpec constraint) {
    List<String> owners =
        types.keySet().stream().filter(b -> type(b, constraint.id()).isPresent()).toList();
    return owners.isEmpty()
        ? nearest(constraint).map(id -> ", did you mean '" + id + "'?").orElse("")
        : ", it is one of " + String.join(", ", owners);
  }

  private Optional<String> nearest(ConstraintSpec constraint) {
    Optional<String> own =
        Similar.to(constraint.id(), types.getOrDefault(constraint.bench(), Map.of()).keySet());
    return own.isPresent() ? own : nearestId(constraint.id());
  }

  /** The id, of any benchmark, most similar to an unknown one, if any is. */
  public Optional<String> nearestId(String unknown) {
    Set<String> ids = new LinkedHashSet<>();
    types.values().forEach(own -> ids.addAll(own.keySet()));
    return Similar.to(unknown, ids);
  }

  /** The strict verdicts of a response under all constraints. */
  public JudgeList judge(List<ConstraintSpec> constraints, Response response) {
    return judge(constraints, response, Strictness.STRICT);
  }

  /** The verdicts of a response under all constraints, in their order. */
  public JudgeList judge(
      List<ConstraintSpec> constraints, Response response, Strictness strictness) {
    List<Verdict> verdicts = new ArrayList<>(constraints.size());
    for (ConstraintSpec constraint : constraints) {
      verdicts.add(judge(constraint, response, strictness));
    }
    return new JudgeList(verdicts);
  }

  /** The verdicts of one response, strict and loose, in the order of the constraints. */
  public record Judged(JudgeList strict, JudgeList loose) {}

  /** Both verdicts on each constraint, for little more than the work of the loose one. */
  public Judged judgeBoth(List<ConstraintSpec> constraints, Response response) {
    List<Verdict> strict = new ArrayList<>(constraints.size());
    List<Verdict> loose = new ArrayList<>(constraints.size());
    for (ConstraintSpec constraint : constraints) {
      Verdict verdict = judge(constraint, response, Strictness.STRICT);
      strict.add(verdict);
      loose.add(loosened(constraint, response, verdict));
    }
    return new Judged(new JudgeList(strict), new JudgeList(loose));
  }

  /**
   * One verdict. What cannot be parsed (unknown id, bad kwargs) has no verdict; a check that throws
   * has failed. A blank response satisfies only constraints that are {@link
   * ConstraintType#verbatim}.
   */
  public Verdict judge(ConstraintSpec constraint, Response response, Strictness strictness) {
    Parsed parsed;
    try {
      parsed = parsed(constraint);
    } catch (NotUnderstoodException e) {
      count(notUnderstood, constraint);
      return Verdict.none(String.valueOf(e.getMessage()));
    } catch (IllegalArgumentException e) {
      return Verdict.none(String.valueOf(e.getMessage()));
    }
    if (parsed.verifier.unread().isPresent()) {
      count(notUnderstood, constraint);
    }
    if (response.isBlank() && !parsed.verbatim) {
      return Verdict.violated("the response is empty");
    }
    Verdict strict = check(constraint, parsed.verifier, response);
    return strictness == Strictness.STRICT ? strict : loosened(constraint, response, strict);
  }

  /** The loose verdict, given the strict one, which is that on the first variant. */
  private Verdict loosened(ConstraintSpec constraint, Response response, Verdict strict) {
    // The reference stops at the first success, and at the first exception.
    if (strict.outcome() != Verdict.Outcome.VIOLATED || response.isBlank()) {
      return strict;
    }
    Parsed parsed = parsed(constraint);
    if (parsed.verbatim) {
      return strict;
    }
    for (Response variant : response.looseVariants()) {
      if (variant != response) {
        Verdict verdict = check(constraint, parsed.verifier, variant);
        if (verdict.outcome() != Verdict.Outcome.VIOLATED) {
          return verdict;
        }
      }
    }
    return strict;
  }

  private Verdict check(ConstraintSpec constraint, Verifier verifier, Response response) {
    Verdict verdict;
    try {
      int length = response.length();
      verdict =
          length > MAX_LENGTH
              ? Verdict.failed(
                  "a response of " + length + " characters is not checked, at most " + MAX_LENGTH)
              : verifier.check(response);
    } catch (RuntimeException | Error e) {
      throwIfFatal(e);
      verdict = Verdict.failed(e.getMessage() == null ? e.toString() : e.getMessage());
    }
    if (verdict == null) {
      verdict = Verdict.failed("the rule returned no verdict");
    }
    if (verdict.outcome() == Verdict.Outcome.FAILED) {
      count(failures, constraint);
    }
    return verdict;
  }

  /**
   * The result of {@link ConstraintType#achieved}; empty if it throws, as it may on unusual data or
   * in a custom rule.
   */
  public Optional<Map<String, Object>> achieved(
      ConstraintType type, Response response, Map<String, Object> kwargs, RandomGenerator random) {
    try {
      return type.achieved(response, kwargs, random);
    } catch (RuntimeException | Error e) {
      throwIfFatal(e);
      return Optional.empty();
    }
  }

  /**
   * Rethrows errors that are not a rule's fault: those of the virtual machine, such as out of
   * memory. A stack overflow is the rule's fault.
   */
  private static void throwIfFatal(Throwable thrown) {
    if (thrown instanceof VirtualMachineError error && !(error instanceof StackOverflowError)) {
      throw error;
    }
  }

  /** How many checks have failed so far (threw or exceeded their step budget), by "bench/id". */
  public Map<String, Long> failures() {
    return sums(failures);
  }

  /** How many checked constraints had words that no rule understands, by "bench/id". */
  public Map<String, Long> notUnderstood() {
    return sums(notUnderstood);
  }

  private static void count(Map<String, LongAdder> counts, ConstraintSpec constraint) {
    counts
        .computeIfAbsent(constraint.bench() + "/" + constraint.id(), key -> new LongAdder())
        .increment();
  }

  private static Map<String, Long> sums(Map<String, LongAdder> counts) {
    Map<String, Long> sums = new TreeMap<>();
    counts.forEach((type, count) -> sums.put(type, count.sum()));
    return sums;
  }
}
