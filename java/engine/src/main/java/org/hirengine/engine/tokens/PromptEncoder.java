package org.hirengine.engine.tokens;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.hirengine.engine.tokens.jinja.TemplateException;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.Message;
import org.jspecify.annotations.Nullable;

/**
 * Turns instructions into the token ids of their prompts: system prompt, history and prompt text
 * through the chat template, ready for the assistant's turn.
 *
 * <p>Any number of threads may use one encoder.
 */
public final class PromptEncoder {

  private static final String ANSWER = "hindsight";

  private final Tokenizer tokenizer;
  private final ChatTemplate template;
  private final Map<String, @Nullable Object> defaults;

  /**
   * An encoder over a model's tokenizer and chat template, which stay the caller's to close.
   *
   * @param tokenizer the model's tokenizer
   * @param template the model's chat template
   * @param defaults options of the template for every instruction that does not set them itself
   */
  public PromptEncoder(
      Tokenizer tokenizer,
      ChatTemplate template,
      Map<String, ? extends @Nullable Object> defaults) {
    this.tokenizer = tokenizer;
    this.template = template;
    this.defaults = new LinkedHashMap<>(defaults);
  }

  /**
   * The text of an instruction's prompt, up to and with the head of the assistant's turn.
   *
   * @throws TemplateException when the template refuses the conversation
   */
  public String text(Instruction instruction) {
    Map<String, @Nullable Object> options = new LinkedHashMap<>(defaults);
    options.putAll(instruction.templateOptions());
    return template.render(instruction.messages(), true, options);
  }

  /**
   * The token ids of an instruction's prompt. The template writes the special tokens itself, so
   * none are added.
   *
   * @throws TemplateException when the template refuses the conversation
   */
  public int[] encode(Instruction instruction) {
    return tokenizer.encode(text(instruction));
  }

  /**
   * The token with which the template ends an assistant's turn, such as {@code <|im_end|>}: a
   * response ends there, besides at the ids that {@code generation_config.json} and {@code
   * config.json} name. Empty where the template ends a turn without a special token.
   */
  public OptionalInt endOfTurnId() {
    List<Message> turns =
        List.of(new Message("user", "question"), new Message("assistant", ANSWER));
    String text = template.render(turns, false, defaults);
    String tail = text.substring(text.lastIndexOf(ANSWER) + ANSWER.length());
    return Arrays.stream(tokenizer.encode(tail)).filter(tokenizer::isSpecial).findFirst();
  }
}
