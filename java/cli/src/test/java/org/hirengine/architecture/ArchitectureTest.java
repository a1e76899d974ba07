package org.hirengine.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The import rules between modules. The modules, lowest first: text, verify, replay, parquet,
 * kernels, engine, cli. Maven's dependencies enforce most of this. These rules also cover what
 * Maven cannot see, such as third-party packages used in the wrong module.
 */
@AnalyzeClasses(packages = "org.hirengine", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {

  private static final String TEXT = "org.hirengine.text..";
  private static final String VERIFY = "org.hirengine.verify..";
  private static final String REPLAY = "org.hirengine.replay..";
  private static final String KERNELS = "org.hirengine.kernels..";
  private static final String ENGINE = "org.hirengine.engine..";
  private static final String ENGINE_PREFIX = "org.hirengine.engine.";
  private static final String CLI = "org.hirengine.cli..";
  private static final String NATIVE_LIBRARIES = "org.bytedeco..";

  @ArchTest
  static final ArchRule textNeedsTheJdkAlone =
      noClasses()
          .that()
          .resideInAPackage(TEXT)
          .should()
          .dependOnClassesThat()
          .resideOutsideOfPackages(TEXT, "java..", "org.jspecify..")
          .because("Python's semantics are a matter of the language, not of a library");

  @ArchTest
  static final ArchRule verifiersStandAlone =
      noClasses()
          .that()
          .resideInAPackage(VERIFY)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(REPLAY, KERNELS, ENGINE, CLI, NATIVE_LIBRARIES)
          .because("verifiers are embedded alone, in services without native code");

  @ArchTest
  static final ArchRule replayUsesVerifiersOnly =
      noClasses()
          .that()
          .resideInAPackage(REPLAY)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(KERNELS, ENGINE, CLI, NATIVE_LIBRARIES)
          .because("the rewriter stays in pure Java");

  @ArchTest
  static final ArchRule kernelsKnowJavaCppOnly =
      noClasses()
          .that()
          .resideInAPackage(KERNELS)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              VERIFY,
              REPLAY,
              ENGINE,
              CLI,
              "org.bytedeco.pytorch..",
              "org.bytedeco.openblas..",
              "org.bytedeco.cuda..")
          .because("the kernels' C ABI knows pointers, sizes and streams, and nothing of LibTorch");

  @ArchTest
  static final ArchRule engineKnowsNoCommandLine =
      noClasses()
          .that()
          .resideInAPackage(ENGINE)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(CLI, "picocli..", "me.tongfei..")
          .because("the engine is embedded in services that have no console");

  /** The engine's packages, lowest first. */
  private static final List<String> FLOORS =
      List.of(
          "runtime",
          "distributed",
          "hub",
          "algo",
          "config",
          "gguf",
          "tokens",
          "libtorch",
          "model",
          "convert",
          "rollout",
          "runs",
          "experience",
          "update",
          "plan",
          "train",
          "diagnose");

  @ArchTest
  static void noPackageOfTheEngineImportsUpward(JavaClasses classes) {
    for (int i = 0; i < FLOORS.size() - 1; i++) {
      String[] above =
          FLOORS.stream()
              .skip(i + 1L)
              .map(name -> ENGINE_PREFIX + name + "..")
              .toArray(String[]::new);
      noClasses()
          .that()
          .resideInAPackage(ENGINE_PREFIX + FLOORS.get(i) + "..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(above)
          .because("the engine is built in floors: " + String.join(", ", FLOORS))
          .check(classes);
    }
  }

  @ArchTest
  static void everyPackageOfTheEngineIsAFloor(JavaClasses classes) {
    Set<String> packages = new TreeSet<>();
    classes.stream()
        .map(JavaClass::getPackageName)
        .filter(name -> name.startsWith(ENGINE_PREFIX))
        .forEach(
            name -> packages.add(name.replaceFirst("org\\.hirengine\\.engine\\.([^.]+).*", "$1")));
    assertEquals(new TreeSet<>(FLOORS), packages);
  }

  /**
   * The engine's public API by package: what embedders, the command line among them, may rely on.
   */
  private static final Set<String> API =
      names(
          "HirTrainer",
          "algo: AdvantageEstimator KlPenalty LossAggregation",
          "config: AdvantageSection ChatClock CheckpointSection ConfigException DataSection"
              + " DistributedSection EvalSection GuardsSection JudgeSection KlSection LimitsSection"
              + " LogSection LoraSection LoraTargets LossSection OptimSection ReplaySection"
              + " RewardSection SamplingSection SftConfig TrainConfig TrainSection VerifySection",
          "convert: ModelConverter",
          "diagnose: StepAudit StepBenchmark StepTimes",
          "distributed: DistributedException GroupOptions Launch ProcessGroup Shards",
          "hub: Hub HubException HubListener HubName HubSettings Location",
          "model: Lora LoraConfig ModelConfig ModelException Policy PolicyFiles ResponseBatch"
              + " Scorer",
          "plan: MemoryPlan Part Phase Remedies",
          "rollout: Completion Prompt RandomStream RolloutCall RolloutEngine RolloutListener"
              + " RolloutParams StopIds",
          "runs: HeldOut JsonNumbers Metric MetricsLog RolloutDump RolloutRow RunException"
              + " RunFolder StepMetrics Summary",
          "runtime: DeviceException DeviceMemory NativeExecutor NativeRuntime",
          "tokens: ChatTemplate PromptEncoder StreamedText Tokenizer",
          "train: SftTrainer StopHook TrainingListener TrainingPlan TrainingStoppedException");

  /** Classes that are public only for other packages of the engine. They may change at any time. */
  private static final Set<String> INTERNAL =
      names(
          "algo: KlController Moments",
          "experience: Answer DataOrder Mismatch Progress Randoms RankShares ReplayMaker Sampler"
              + " StepBatch StepSampler Stopwatch Task TaskSource TrainingRow Trajectory"
              + " Verification",
          "gguf: GgmlType GgufModel GgufWriter ModelFiles PreTokenizer RopeFactors SentencePiece"
              + " TensorNames",
          "libtorch: LibTorchKernelProvider",
          "model: CompanionFiles ForwardPass InitialWeights LayerWeights LibTorchLayers"
              + " ModelWeights NativeModel PackedBatch Passes RotaryTable Safetensors"
              + " SafetensorsWriter StoredModel TensorType",
          "plan: Planner",
          "runs: RunLog StepGuards TensorBoardEvents",
          "runtime: CopyQueue GradMode Tensors",
          "tokens: SpecialTokens",
          "train: Checkpoints TrainerState TrainingData TrainingEngine TrainingRun",
          "update: GradientParts LossSums Optimizer PolicyLoss PolicyUpdate StepUpdate"
              + " UpdateReport");

  private static Set<String> names(String... packages) {
    Set<String> names = new TreeSet<>();
    for (String line : packages) {
      int colon = line.indexOf(": ");
      String prefix = colon < 0 ? "" : line.substring(0, colon) + ".";
      for (String name : line.substring(colon < 0 ? 0 : colon + 2).split(" ")) {
        names.add(ENGINE_PREFIX + prefix + name);
      }
    }
    return names;
  }

  @ArchTest
  static void aPublicClassOfTheEngineIsApiOrListedAsInternal(JavaClasses classes) {
    Set<String> found = new TreeSet<>();
    classes.stream()
        .filter(each -> each.getName().startsWith(ENGINE_PREFIX))
        .filter(each -> each.isTopLevelClass() && each.getModifiers().contains(JavaModifier.PUBLIC))
        .forEach(each -> found.add(each.getName()));
    Set<String> listed = new TreeSet<>(API);
    listed.addAll(INTERNAL);
    assertEquals(listed, found);
  }

  @ArchTest
  static void theCommandUsesTheEngineByItsApiAlone(JavaClasses classes) {
    Set<String> beyond = new TreeSet<>();
    for (JavaClass each : classes) {
      if (each.getPackageName().startsWith("org.hirengine.cli")) {
        each.getDirectDependenciesFromSelf().stream()
            .map(use -> use.getTargetClass().getBaseComponentType().getName())
            .map(name -> name.replaceFirst("\\$.*", ""))
            .filter(name -> name.startsWith(ENGINE_PREFIX) && !API.contains(name))
            .forEach(name -> beyond.add(each.getSimpleName() + " uses " + name));
      }
    }
    assertEquals(Set.of(), beyond);
  }

  @ArchTest
  static final ArchRule onlyTheCommandExits =
      noClasses()
          .that()
          .resideOutsideOfPackage(CLI)
          .should()
          .callMethod(System.class, "exit", int.class)
          .because("a library never ends its host");

  @ArchTest
  static final ArchRule noLoggingBackend =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.slf4j..", "org.apache.logging..", "ch.qos..")
          .because("the engine logs through System.Logger and forces no backend on its host");

  @ArchTest
  static final ArchRule roomsFormNoCycles =
      slices().matching("org.hirengine.(*)..").should().beFreeOfCycles();
}
