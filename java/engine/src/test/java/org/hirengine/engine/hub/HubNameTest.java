package org.hirengine.engine.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Hub names, paths, and settings from the environment. */
class HubNameTest {

  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "Qwen/Qwen3-0.6B, MODEL, Qwen/Qwen3-0.6B, -, -",
        "a/b@main, MODEL, a/b, main, -",
        "a/b@refs/pr/1, MODEL, a/b, refs/pr/1, -",
        "a/b:x.gguf, MODEL, a/b, -, x.gguf",
        "a/b@v1.0:sub/x y.gguf, MODEL, a/b, v1.0, sub/x y.gguf",
        "hf://a/b, MODEL, a/b, -, -",
        "hf://models/a/b@main, MODEL, a/b, main, -",
        "hf://a/b@refs/pr/1, MODEL, a/b, refs/pr/1, -",
        "hf://a/b@main/sub/x.gguf, MODEL, a/b, main, sub/x.gguf",
        "hf://a/b@x/y:f.gguf, MODEL, a/b, x/y, f.gguf",
        "hf://datasets/a/b/f.jsonl, DATASET, a/b, -, f.jsonl",
        "hf://datasets/a/b@v1/d/f.jsonl, DATASET, a/b, v1, d/f.jsonl",
        "hf://datasets/a/b@refs/convert/parquet/default/0.parquet, DATASET, a/b,"
            + " refs/convert/parquet, default/0.parquet",
        "hf://datasets/a/b@x%2Fy/f@2.jsonl, DATASET, a/b, x/y, f@2.jsonl",
        "hf://datasets/a/b/d/f@2.jsonl, DATASET, a/b, -, d/f@2.jsonl",
      })
  void reads(String text, HubName.Kind kind, String repository, String revision, String file) {
    HubName name = kind == HubName.Kind.MODEL ? HubName.model(text) : HubName.file(text);
    assertEquals(new HubName(kind, repository, revision, file), name);
    assertEquals(
        name,
        kind == HubName.Kind.MODEL ? HubName.model(name.toString()) : HubName.file(name.toString()),
        "what is written reads back");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a",
        "/a/b",
        "a/b/c",
        "a//b",
        "../b",
        "a/..",
        "a/.b",
        ".a/b",
        "a/b.",
        "a/-b",
        "a--b/c",
        "a/b..c",
        "a/b.git",
        "a/b c",
        "a\\b/c",
        "a/bé",
        "a/b@",
        "a/b@..",
        "a/b@x/../y",
        "a/b@/x",
        "a/b@x.lock",
        "a/b@-x",
        "a/b@x y",
        "a/b@x:y",
        "a/b:",
        "a/b:f.bin",
        "a/b:../f.gguf",
        "a/b:/f.gguf",
        "a/b:x/./f.gguf",
        "a/b:c\\f.gguf",
        "a/b:C:f.gguf",
        "hf://",
        "hf://a",
        "hf://datasets/a/b",
        "hf://spaces/a/b",
        "hf://a/b/f.bin",
        "hf://a/b/../f.gguf",
        "~/b",
        "./b",
        "a/b\n",
        "a/b:f\n.gguf",
        "a/@main"
      })
  void refuses(String text) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> HubName.model(text));
    assertTrue(
        String.valueOf(e.getMessage()).contains("name")
            || String.valueOf(e.getMessage()).contains("write"),
        e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hf://datasets/a/b",
        "hf://datasets/a/b/",
        "hf://datasets/a/b/../f",
        "hf://datasets/a/b/d//f",
        "hf://datasets/a/f.jsonl",
        "hf://datasets/../b/f",
        "hf://datasets/a/b@../f",
        "hf://datasets/a/b/C:f"
      })
  void refusesFiles(String text) {
    assertThrows(IllegalArgumentException.class, () -> HubName.file(text));
  }

  private boolean isName(String text, Location.Kind kind) {
    return Location.parse(text, folder, kind).name().isPresent();
  }

  @Test
  void nothingThatLooksLikeAPathIsSentToTheHub() throws IOException {
    Files.createDirectories(folder.resolve("models"));
    Files.createDirectories(folder.resolve("Owner/Local"));
    for (String path :
        new String[] {
          "policy",
          "./Owner/Name",
          "../Owner/Name",
          "/Owner/Name",
          "runs/a/b",
          "a/b.gguf",
          "a/b/",
          "~/models",
          "C:\\a\\b",
          "models/typo",
          "Owner/Local",
          "Owner/Other"
        }) {
      assertFalse(isName(path, Location.Kind.MODEL), path);
      assertEquals(
          folder.resolve(path).normalize(),
          Location.parse(path, folder, Location.Kind.MODEL).path());
    }
    assertTrue(isName("Qwen/Qwen3-0.6B", Location.Kind.MODEL));
    assertTrue(isName("hf://Owner/Local", Location.Kind.MODEL));
    assertTrue(isName("hf://datasets/a/b/f.jsonl", Location.Kind.FILE));
    assertFalse(isName("a/b", Location.Kind.FILE), "data files are marked");
  }

  @ParameterizedTest
  @CsvSource({
    "https://huggingface.co/Qwen/Qwen3-0.6B, MODEL, OWNER/NAME",
    "https://huggingface.co/datasets/a/b, FILE, hf://datasets/OWNER/NAME/FILE",
    "hf://datasets/a/b/c.jsonl, MODEL, is a data set",
    "hf://a/b, FILE, names no file"
  })
  void saysWhatToWriteInstead(String text, Location.Kind kind, String remedy) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Location.parse(text, folder, kind));
    assertTrue(String.valueOf(e.getMessage()).contains(remedy), e.getMessage());
  }

  @Test
  void aLocationIsWrittenAsItIsRead() {
    Location path = Location.parse("x/../y", folder, Location.Kind.FILE);
    assertEquals(path, Location.parse(path.toString(), Path.of("/"), Location.Kind.FILE));
    Location name = Location.parse("a/b@" + COMMIT, folder, Location.Kind.MODEL);
    assertTrue(name.name().orElseThrow().pinned());
    assertEquals(name, Location.parse(name.toString(), folder, Location.Kind.MODEL));
    assertThrows(IllegalStateException.class, name::path);
  }

  private HubSettings settings(String... variables) {
    Map<String, String> environment = new java.util.HashMap<>();
    for (int i = 0; i < variables.length; i += 2) {
      environment.put(variables[i], variables[i + 1]);
    }
    return new HubSettings(environment, folder);
  }

  @Test
  void findsCacheAndTokenAsPythonDoes() throws IOException {
    assertEquals(folder.resolve(".cache/huggingface/hub"), settings().cache());
    assertEquals(Path.of("/x/huggingface/hub"), settings("XDG_CACHE_HOME", "/x").cache());
    assertEquals(Path.of("/x/hub"), settings("HF_HOME", "/x").cache());
    assertEquals(folder.resolve("h/hub"), settings("HF_HOME", "~/h").cache());
    assertEquals(Path.of("/v/h/hub"), settings("HF_HOME", "$V/h", "V", "/v").cache());
    assertEquals(Path.of("/v/h/hub"), settings("HF_HOME", "${V}/h", "V", "/v").cache());
    assertEquals(Path.of("/y"), settings("HF_HOME", "/x", "HF_HUB_CACHE", "/y").cache());
    assertEquals(Path.of("/y"), settings("HUGGINGFACE_HUB_CACHE", "/y").cache());
    assertEquals(Path.of("/x/hub"), settings("HF_HOME", "/x", "HF_HUB_CACHE", "").cache());

    assertEquals(Optional.empty(), settings().token());
    Path home = Files.createDirectories(folder.resolve(".cache/huggingface"));
    Files.writeString(home.resolve("token"), " hf_file \r\n");
    assertEquals(Optional.of("hf_file"), settings().token());
    assertEquals(Optional.of("hf_env"), settings("HF_TOKEN", "hf_env\n").token());
    Path other = Files.writeString(folder.resolve("t"), "hf_other");
    assertEquals(Optional.of("hf_other"), settings("HF_TOKEN_PATH", other.toString()).token());
  }

  @Test
  void readsTheSwitches() {
    assertTrue(settings("HF_HUB_OFFLINE", "1").offline());
    assertTrue(settings("HF_HUB_OFFLINE", "Yes").offline());
    assertTrue(settings("TRANSFORMERS_OFFLINE", "true").offline());
    assertFalse(settings("HF_HUB_OFFLINE", "0").offline());
    assertEquals(
        "https://mirror.example/hub",
        settings("HF_ENDPOINT", "https://mirror.example/hub//").endpoint().toString());
    for (String wrong :
        new String[] {
          "mirror.example", "ftp://x", "https://me:secret@x", "https://", "ht tp://secret"
        }) {
      HubException e =
          assertThrows(HubException.class, () -> settings("HF_ENDPOINT", wrong).endpoint());
      assertFalse((e + e.remedy()).contains("secret"), e.getMessage());
    }
  }
}
