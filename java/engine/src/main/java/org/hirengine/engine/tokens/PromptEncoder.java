package org.hirengine.engine.tokens;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.Message;
import org.hirengine.text.jinja.TemplateException;
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
  private final ControlText controls;
  private final boolean splitting;

  /**
   * An encoder over a model's tokenizer and chat template, which the caller closes.
   *
   * @param tokenizer the model's tokenizer
   * @param template the model's chat template
   * @param defaults options of the template for every instruction that does not set them itself
   */
  public PromptEncoder(
      Tokenizer tokenizer,
      ChatTemplate template,
      Map<String, ? extends @Nullable Object> defaults) {
    this(tokenizer, template, defaults, tokenizer.controlText(), false);
  }

  private PromptEncoder(
      Tokenizer tokenizer,
      ChatTemplate template,
      Map<String, ? extends @Nullable Object> defaults,
      ControlText controls,
      boolean splitting) {
    this.tokenizer = tokenizer;
    this.template = template;
    this.defaults = new LinkedHashMap<>(defaults);
    this.controls = controls;
    this.splitting = splitting;
  }

  /**
   * The same encoder for untrusted data: a control token in a message, such as {@code <|im_end|>},
   * is encoded as plain text and cannot end the turn. Control tokens that the template writes keep
   * their meaning.
   */
  public PromptEncoder splittingControlTokens() {
    return new PromptEncoder(tokenizer, template, defaults, controls, true);
  }

  /**
   * A prompt.
   *
   * @param text as rendered by the template
   * @param ids its tokens
   */
  @SuppressWarnings("ArrayRecordComponent") // passed on, never compared
  public record Prompt(String text, int[] ids) {}

  /**
   * An instruction's prompt, including the header of the assistant's turn. The template writes the
   * special tokens, so none are added.
   *
   * @throws TemplateException when the template refuses the conversation
   */
  public Prompt prompt(Instruction instruction) {
    Map<String, @Nullable Object> options = new LinkedHashMap<>(defaults);
    options.putAll(instruction.templateOptions());
    List<Message> messages = instruction.messages();
    if (!splitting || !holdsControlTokens(instruction)) {
      String text = template.render(messages, true, options);
      return new Prompt(text, tokenizer.encode(text));
    }
    List<Message> hidden =
        messages.stream().map(m -> new Message(m.role(), controls.hide(m.content()))).toList();
    String rendered = template.render(hidden, true, options);
    return new Prompt(
        ControlText.shown(rendered), tokenizer.marking().encode(controls.marked(rendered)));
  }

  /** Whether a message of an instruction contains a control token. */
  public boolean holdsControlTokens(Instruction instruction) {
    return instruction.messages().stream()
        .anyMatch(message -> holdsControlTokens(message.content()));
  }

  /** Whether a text contains a control token. */
  public boolean holdsControlTokens(String text) {
    return controls.isIn(text);
  }

  /** The text of {@link #prompt}. */
  public String text(Instruction instruction) {
    return prompt(instruction).text();
  }

  /** The token ids of {@link #prompt}. */
  public int[] encode(Instruction instruction) {
    return prompt(instruction).ids();
  }

  /** The token ids of another text of the data, such as a response to learn. */
  public int[] encodeText(String text) {
    return splitting && controls.isIn(text)
        ? tokenizer.marking().encode(controls.marked(controls.hide(text)))
        : tokenizer.encode(text);
  }

  /**
   * The token with which the template ends an assistant's turn, such as {@code <|im_end|>}: a
   * response ends there, as well as at the ids that {@code generation_config.json} and {@code
   * config.json} name. Empty if the template ends a turn without a special token.
   */
  public OptionalInt endOfTurnId() {
    List<Message> turns =
        List.of(new Message("user", "question"), new Message("assistant", ANSWER));
    String text = template.render(turns, false, defaults);
    String tail = text.substring(text.lastIndexOf(ANSWER) + ANSWER.length());
    return Arrays.stream(tokenizer.encode(tail)).filter(tokenizer::isSpecial).findFirst();
  }
}
