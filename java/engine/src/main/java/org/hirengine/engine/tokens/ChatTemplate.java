package org.hirengine.engine.tokens;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.hirengine.engine.gguf.ModelFiles;
import org.hirengine.replay.DataException;
import org.hirengine.replay.Message;
import org.hirengine.text.jinja.JinjaTemplate;
import org.hirengine.text.jinja.TemplateException;
import org.jspecify.annotations.Nullable;

/**
 * The chat template of a model folder: turns a conversation into the text that the model was
 * trained to continue, exactly as transformers' {@code apply_chat_template} does.
 *
 * <p>Immutable; any number of threads may render.
 */
public final class ChatTemplate {

  private static final String DEFAULT = "default";
  private static final String CONFIG = "tokenizer_config.json";
  private static final String TOOL_USE = "tool_use";

  private final Map<String, JinjaTemplate> templates;
  private final SpecialTokens specialTokens;
  private final Clock clock;

  private ChatTemplate(
      Map<String, JinjaTemplate> templates, SpecialTokens specialTokens, Clock clock) {
    this.templates = templates;
    this.specialTokens = specialTokens;
    this.clock = clock;
  }

  /**
   * Loads the chat template of a model folder or GGUF file. As in transformers, {@code
   * chat_template.jinja} and {@code additional_chat_templates/*.jinja} come before the {@code
   * chat_template} of {@code tokenizer_config.json}, which is a text or a list of named ones.
   *
   * @throws DataException when the folder has none
   * @throws TemplateException when one is not valid or uses what is not supported
   */
  public static ChatTemplate load(Path model) {
    Map<String, JinjaTemplate> templates = fromFiles(model);
    if (templates.isEmpty()) {
      templates = fromConfig(model);
    }
    if (templates.isEmpty()) {
      throw new DataException(
          model.toString(),
          0,
          null,
          "the model has no chat template",
          "add chat_template.jinja to the folder (that of the instruct model of the same family),"
              + " or chat_template to tokenizer_config.json");
    }
    return new ChatTemplate(
        templates, SpecialTokens.load(model), Clock.system(ZoneId.systemDefault()));
  }

  /**
   * A chat template from its text.
   *
   * @param source the Jinja text
   * @param specialTokens the tokens that the template may name, such as {@code bos_token}
   * @throws TemplateException when it is not valid or uses what is not supported
   */
  public static ChatTemplate of(String source, SpecialTokens specialTokens) {
    return new ChatTemplate(
        Map.of(DEFAULT, JinjaTemplate.parse(source, "chat template")),
        specialTokens,
        Clock.system(ZoneId.systemDefault()));
  }

  /** The same template with another clock for {@code strftime_now}. */
  public ChatTemplate withClock(Clock newClock) {
    return new ChatTemplate(templates, specialTokens, newClock);
  }

  private static Map<String, JinjaTemplate> fromFiles(Path model) {
    Map<String, JinjaTemplate> templates = new TreeMap<>();
    parse(model, "chat_template.jinja").ifPresent(main -> templates.put(DEFAULT, main));
    for (String name : ModelFiles.templates(model)) {
      parse(model, ModelFiles.templateFile(name)).ifPresent(more -> templates.put(name, more));
    }
    return templates;
  }

  private static Optional<JinjaTemplate> parse(Path model, String name) {
    String label = ModelFiles.label(model, name);
    return ModelFiles.text(model, name).map(text -> parse(text, label, label, null));
  }

  /** An empty template would silently make every prompt empty. */
  private static JinjaTemplate parse(
      String source, String label, String file, @Nullable String field) {
    if (source.isBlank()) {
      throw new DataException(
          file,
          0,
          field,
          "is empty",
          "write the chat template of the instruct model of the same family, or delete it");
    }
    return JinjaTemplate.parse(source, label);
  }

  private static Map<String, JinjaTemplate> fromConfig(Path model) {
    String file = ModelFiles.label(model, CONFIG);
    JsonNode config = ModelFile.object(model, CONFIG);
    Map<String, JinjaTemplate> templates = new TreeMap<>();
    JsonNode template = config == null ? null : config.get("chat_template");
    if (template == null || template.isNull()) {
      return templates;
    }
    String label = file + " (chat_template)";
    if (template.isTextual()) {
      templates.put(DEFAULT, parse(template.asText(), label, file, "chat_template"));
      return templates;
    }
    for (JsonNode entry : template) {
      JsonNode name = entry.path("name");
      JsonNode source = entry.path("template");
      if (!template.isArray() || !name.isTextual() || !source.isTextual()) {
        throw new DataException(
            file,
            0,
            "chat_template",
            "is neither a template nor a list of named ones",
            "write the template's text, or [{\"name\": ..., \"template\": ...}, ...]");
      }
      templates.put(
          name.asText(),
          parse(source.asText(), label + " " + name.asText(), file, "chat_template"));
    }
    return templates;
  }

  /**
   * Renders a conversation.
   *
   * @param messages the turns, oldest first; at least one
   * @param addGenerationPrompt whether the text ends with the header of the assistant's next turn
   * @param options further variables of the template, such as {@code enable_thinking}; they may
   *     also replace special tokens
   * @throws TemplateException when the template refuses the conversation
   * @throws IllegalArgumentException when there are no messages, or an option is reserved
   */
  public String render(
      List<Message> messages,
      boolean addGenerationPrompt,
      Map<String, ? extends @Nullable Object> options) {
    return renderFields(
        messages.stream()
            .<Map<String, Object>>map(
                message -> Map.of("role", message.role(), "content", message.content()))
            .toList(),
        addGenerationPrompt,
        options);
  }

  /**
   * Renders a conversation whose turns have more fields than role and content, such as tool calls.
   *
   * @param messages the turns' fields, oldest first: strings, booleans, numbers, null, and maps and
   *     lists of these
   * @param addGenerationPrompt whether the text ends with the header of the assistant's next turn
   * @param options further variables of the template; {@code tools} and {@code documents} among
   *     them are null unless given
   * @throws TemplateException when the template refuses the conversation
   * @throws IllegalArgumentException when there are no messages, or an option is reserved
   */
  public String renderFields(
      List<? extends Map<String, ? extends @Nullable Object>> messages,
      boolean addGenerationPrompt,
      Map<String, ? extends @Nullable Object> options) {
    if (messages.isEmpty()) {
      throw new IllegalArgumentException("a conversation needs at least one message");
    }
    Map<String, @Nullable Object> variables = new LinkedHashMap<>(specialTokens.byName());
    variables.put("tools", null);
    variables.put("documents", null);
    variables.putAll(options);
    if (options.containsKey("messages") || options.containsKey("add_generation_prompt")) {
      throw new IllegalArgumentException(
          "the chat template's options cannot set 'messages' or 'add_generation_prompt': the"
              + " conversation itself does");
    }
    variables.put("messages", messages);
    variables.put("add_generation_prompt", addGenerationPrompt);
    return choose(variables.get("tools") != null).render(variables, clock);
  }

  private JinjaTemplate choose(boolean withTools) {
    JinjaTemplate template = withTools ? templates.get(TOOL_USE) : null;
    if (template == null) {
      template = templates.get(DEFAULT);
    }
    if (template == null) {
      throw new IllegalArgumentException(
          "the model has the chat templates "
              + templates.keySet()
              + " and none is named 'default'; add chat_template.jinja to its folder");
    }
    return template;
  }
}
