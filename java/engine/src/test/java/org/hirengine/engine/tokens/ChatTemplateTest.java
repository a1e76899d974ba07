package org.hirengine.engine.tokens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.hirengine.replay.DataException;
import org.hirengine.replay.Message;
import org.hirengine.testing.SharedData;
import org.hirengine.text.jinja.TemplateException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ChatTemplateTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final SpecialTokens NONE = new SpecialTokens(Map.of());
  private static final List<Message> HELLO = List.of(new Message("user", "Hello"));

  @TempDir Path folder;

  @Test
  void rendersAsTheReference() throws IOException {
    JsonNode cases = SharedData.json("golden/tokenizer/templates/renderings.json").get("cases");
    Map<String, Tokenizer> tokenizers = new HashMap<>();
    for (JsonNode row : cases) {
      String name = row.get("template").asText();
      Path source = SharedData.require("golden/tokenizer/templates/" + name + ".jinja");
      String bos = row.get("bos_token").asText();
      ChatTemplate template =
          ChatTemplate.of(Files.readString(source), new SpecialTokens(Map.of("bos_token", bos)));
      List<Map<String, Object>> messages =
          JSON.convertValue(row.get("messages"), new TypeReference<>() {});
      Map<String, Object> options = JSON.convertValue(row.get("kwargs"), new TypeReference<>() {});
      if (row.has("tools")) {
        options.put("tools", JSON.convertValue(row.get("tools"), Object.class));
      }
      String rendered =
          template.renderFields(messages, row.get("add_generation_prompt").asBoolean(), options);
      String label = name + " " + row.get("conversation") + " " + row.get("kwargs");
      assertEquals(row.get("rendered").asText(), rendered, label);
      Tokenizer tokenizer =
          tokenizers.computeIfAbsent(
              row.get("tokenizer").asText(),
              kind -> Tokenizer.load(SharedData.require("golden/tokenizer/" + kind)));
      assertArrayEquals(TokenizerTest.ints(row.get("ids")), tokenizer.encode(rendered), label);
    }
    tokenizers.values().forEach(Tokenizer::close);
    SharedData.counted("tokenizer/templates", cases.size());
  }

  @Test
  void takesFilesBeforeTheConfig() throws IOException {
    write("tokenizer_config.json", "{\"chat_template\": \"config\", \"eos_token\": \"<eos>\"}");
    assertEquals("config", ChatTemplate.load(folder).render(HELLO, true, Map.of()));
    write("chat_template.jinja", "file {{ eos_token }}\n");
    assertEquals("file <eos>", ChatTemplate.load(folder).render(HELLO, true, Map.of()));
    Files.createDirectory(folder.resolve("additional_chat_templates"));
    write("additional_chat_templates/tool_use.jinja", "{{ tools[0] }}");
    ChatTemplate template = ChatTemplate.load(folder);
    assertEquals("file <eos>", template.render(HELLO, true, Map.of()));
    assertEquals("add", template.render(HELLO, true, Map.of("tools", List.of("add"))));
  }

  @Test
  void takesNamedTemplates() throws IOException {
    write(
        "tokenizer_config.json",
        """
        {"chat_template": [{"name": "default", "template": "plain"},
                           {"name": "tool_use", "template": "tools"}]}
        """);
    ChatTemplate template = ChatTemplate.load(folder);
    assertEquals("plain", template.render(HELLO, true, Map.of()));
    assertEquals("tools", template.render(HELLO, true, Map.of("tools", List.of())));
    write(
        "tokenizer_config.json", "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"x\"}]}");
    ChatTemplate unnamed = ChatTemplate.load(folder);
    String message =
        assertThrows(IllegalArgumentException.class, () -> unnamed.render(HELLO, true, Map.of()))
            .getMessage();
    assertTrue(message.contains("[rag]"), message);
  }

  @Test
  void saysWhatToAddWhereThereIsNone() throws IOException {
    DataException e = assertThrows(DataException.class, () -> ChatTemplate.load(folder));
    assertTrue(e.remedy().contains("chat_template.jinja"));
    write("tokenizer_config.json", "{\"chat_template\": null}");
    assertThrows(DataException.class, () -> ChatTemplate.load(folder));
    write("tokenizer_config.json", "{\"chat_template\": {\"default\": \"x\"}}");
    e = assertThrows(DataException.class, () -> ChatTemplate.load(folder));
    assertTrue(e.getMessage().contains("field 'chat_template'"), e.getMessage());
  }

  @Test
  void anEmptyTemplateIsRefused() throws IOException {
    write("tokenizer_config.json", "{\"chat_template\": \"\"}");
    DataException e = assertThrows(DataException.class, () -> ChatTemplate.load(folder));
    assertTrue(e.getMessage().contains("field 'chat_template': is empty"), e.getMessage());
    write("chat_template.jinja", " \n");
    e = assertThrows(DataException.class, () -> ChatTemplate.load(folder));
    assertTrue(e.getMessage().contains("chat_template.jinja"), e.getMessage());
    assertTrue(e.getMessage().contains("is empty"), e.getMessage());
  }

  @Test
  void namesFileAndLineOfAFault() throws IOException {
    write("chat_template.jinja", "{% for m in messages %}\n{{ m.content }}\n");
    TemplateException e = assertThrows(TemplateException.class, () -> ChatTemplate.load(folder));
    assertTrue(e.getMessage().contains("chat_template.jinja:1: the block 'for'"), e.getMessage());
    write("chat_template.jinja", "{{ messages[0].content }}\n{{ messages[0].name.first }}");
    ChatTemplate template = ChatTemplate.load(folder);
    e = assertThrows(TemplateException.class, () -> template.render(HELLO, true, Map.of()));
    assertTrue(
        e.getMessage().endsWith("chat_template.jinja:2: 'dict object' has no attribute 'name'"),
        e.getMessage());
  }

  @Test
  void toolsAndDocumentsAreNoneUnlessGiven() {
    ChatTemplate template =
        ChatTemplate.of(
            "{{ tools is none }} {{ documents is none }} {{ pad_token is defined }}", NONE);
    assertEquals("True True False", template.render(HELLO, false, Map.of()));
    assertEquals("False True False", template.render(HELLO, false, Map.of("tools", List.of())));
  }

  @Test
  void optionsReplaceSpecialTokensButNotTheConversation() {
    ChatTemplate template =
        ChatTemplate.of("{{ eos_token }}", new SpecialTokens(Map.of("eos_token", "<eos>")));
    assertEquals("<end>", template.render(HELLO, false, Map.of("eos_token", "<end>")));
    assertThrows(
        IllegalArgumentException.class,
        () -> template.render(HELLO, false, Map.of("messages", List.of())));
    assertThrows(
        IllegalArgumentException.class,
        () -> template.render(HELLO, false, Map.of("add_generation_prompt", true)));
    assertThrows(IllegalArgumentException.class, () -> template.render(List.of(), false, Map.of()));
  }

  @Test
  void readsTheInjectedClock() {
    ChatTemplate template =
        ChatTemplate.of("{{ strftime_now('%d %b %Y, %H:%M') }}", NONE)
            .withClock(Clock.fixed(Instant.parse("2026-02-03T04:05:06Z"), ZoneOffset.UTC));
    assertEquals("03 Feb 2026, 04:05", template.render(HELLO, false, Map.of()));
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text);
  }
}
