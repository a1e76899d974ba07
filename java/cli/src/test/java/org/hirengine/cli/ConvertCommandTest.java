package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code hir convert} as a user sees it. */
class ConvertCommandTest {

  @TempDir Path temp;

  @Test
  void copiesAFolderInAnotherType() throws IOException {
    Path model = DemoPolicy.in(temp);
    Path half = temp.resolve("half");
    HirConsole run = HirConsole.run("convert", model, half, "--type", "bf16").succeeds();
    assertEquals("wrote " + half + " (BF16)\n", run.out());
    assertTrue(Files.readString(half.resolve("config.json")).contains("bfloat16"));
    assertArrayEquals(
        Files.readAllBytes(model.resolve("tokenizer.json")),
        Files.readAllBytes(half.resolve("tokenizer.json")));
    for (String more : new String[] {"--overwrite", "--type=F32"}) {
      HirConsole.run("convert", model, half, more).failsWith(1, half + ": is a folder with files");
    }
    Path whole = Files.createDirectories(temp.resolve("whole"));
    HirConsole.run("convert", model, whole).succeeds();
    assertArrayEquals(
        Files.readAllBytes(model.resolve("model.safetensors")),
        Files.readAllBytes(whole.resolve("model.safetensors")));
    Path file = Files.writeString(temp.resolve("taken"), "x");
    HirConsole.run("convert", model, file, "--overwrite").failsWith(1, "is a file, not a folder");
  }

  @Test
  void refusesWhatCannotBe() throws IOException {
    Path model = DemoPolicy.in(temp);
    Path file = temp.resolve("model.gguf");
    // Its tokenizer has whole words, a kind that GGUF does not know.
    HirConsole.run("convert", model, file).failsWith(1, "no name for this way of splitting");
    HirConsole.run("convert", model, temp.resolve("out"), "--type", "Q8_0")
        .failsWith(2, "ends in .gguf");
    HirConsole.run("convert", model, file, "--type", "Q3").failsWith(2, "'--type'");
    HirConsole.run("convert", temp.resolve("none"), file).failsWith(1, "no such model");
    Path text = Files.writeString(temp.resolve("text.gguf"), "this is no model at all");
    HirConsole.run("convert", text, temp.resolve("out")).failsWith(1, "letters GGUF");
    HirConsole.run("generate", "--model", text, "--prompt", "x").failsWith(1, "letters GGUF");
  }

  @Test
  void aGgufFileGoesToAFolderAndBack() throws IOException {
    Path file = SharedData.require("models/tiny/llama3-tiny.Q8_0.gguf");
    Path folder = temp.resolve("folder");
    Path back = temp.resolve("back.gguf");
    HirConsole.run("convert", file, folder).succeeds();
    HirConsole.run("convert", folder, back, "--type", "F32").succeeds();
    HirConsole.run("convert", folder, back).failsWith(1, back + ": exists already");
    HirConsole.run("convert", back, back, "--overwrite").failsWith(1, "is IN itself");
    HirConsole.run("convert", folder, back, "--overwrite").succeeds();
    HirConsole.run("convert", back, temp.resolve("again")).succeeds();
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("model.safetensors")),
        Files.readAllBytes(temp.resolve("again/model.safetensors")));
  }
}
