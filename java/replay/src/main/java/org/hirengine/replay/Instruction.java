package org.hirengine.replay;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.hirengine.verify.ConstraintSpec;
import org.jspecify.annotations.Nullable;

/**
 * A training instruction x = (question, constraints): what the model is asked, and what its
 * response is verified against.
 *
 * <p>{@code criteria} are the sentences that put the constraints into the prompt, one for each of
 * {@code constraints} and in their order. Either list may be empty alone: a benchmark's prompt has
 * its sentences inside the question, and instructions that are only rewritten have no
 * machine-readable constraints. Only an instruction with sentences can be rewritten.
 *
 * @param id the row's id, for people and for reports
 * @param question the request without its constraints
 * @param criteria the constraints' sentences
 * @param qType how question and sentences become the prompt text
 * @param bench the benchmark whose rules all constraints follow, or null if there are none, or if
 *     they are from several benchmarks
 * @param constraints what the verifiers check
 * @param system the system prompt, if any
 * @param history earlier turns of the conversation, oldest first
 * @param templateOptions arguments of the chat template, such as {@code enable_thinking}
 * @param extra fields of the data that the engine does not know, kept for output
 */
public record Instruction(
    String id,
    String question,
    List<String> criteria,
    QType qType,
    @Nullable String bench,
    List<ConstraintSpec> constraints,
    @Nullable String system,
    List<Message> history,
    Map<String, @Nullable Object> templateOptions,
    Map<String, @Nullable Object> extra) {

  /**
   * Copies the lists and maps.
   *
   * @throws IllegalArgumentException when sentences and constraints are both given and differ in
   *     number
   */
  public Instruction {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(question, "question");
    Objects.requireNonNull(qType, "qType");
    criteria = List.copyOf(criteria);
    constraints = List.copyOf(constraints);
    history = List.copyOf(history);
    templateOptions = Collections.unmodifiableMap(new LinkedHashMap<>(templateOptions));
    extra = Collections.unmodifiableMap(new LinkedHashMap<>(extra));
    if (!criteria.isEmpty() && !constraints.isEmpty() && criteria.size() != constraints.size()) {
      throw new IllegalArgumentException(
          "instruction "
              + id
              + " has "
              + criteria.size()
              + " sentences for "
              + constraints.size()
              + " constraints; each constraint needs its own sentence");
    }
  }

  /** An instruction without system prompt, history, template options or further fields. */
  public static Instruction of(
      String id,
      String question,
      List<String> criteria,
      QType qType,
      @Nullable String bench,
      List<ConstraintSpec> constraints) {
    return new Instruction(
        id, question, criteria, qType, bench, constraints, null, List.of(), Map.of(), Map.of());
  }

  /** The same request under other constraints; everything else stays. */
  public Instruction with(List<String> newCriteria, List<ConstraintSpec> newConstraints) {
    return new Instruction(
        id,
        question,
        newCriteria,
        qType,
        bench,
        newConstraints,
        system,
        history,
        templateOptions,
        extra);
  }

  /** The text of the user's turn; the bare question if there are no sentences. */
  public String promptText() {
    return criteria.isEmpty() ? question : qType.render(question, criteria);
  }

  /** The conversation for the chat template: system prompt, history, then the prompt text. */
  public List<Message> messages() {
    List<Message> messages = new ArrayList<>(history.size() + 2);
    if (system != null) {
      messages.add(new Message("system", system));
    }
    messages.addAll(history);
    messages.add(new Message("user", promptText()));
    return List.copyOf(messages);
  }
}
