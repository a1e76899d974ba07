package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.hirengine.engine.hub.HubName;
import org.hirengine.engine.hub.Location;
import org.hirengine.replay.JsonLines;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code hir fetch}: a model or a data file of the Hub, into the cache. */
@Command(
    name = "fetch",
    mixinStandardHelpOptions = true,
    description = {
      "Fetches a model or a data file of the Hugging Face Hub and prints its folder or path.",
      "",
      "It goes into the cache that Python's tools use (HF_HUB_CACHE, HF_HOME, or"
          + " ~/.cache/huggingface), where every command finds it by the same name. Unless the"
          + " revision is a commit, the Hub is asked for the newest one; other commands take what"
          + " the cache has. Of a model only configuration, tokenizer, chat templates and"
          + " safetensors are fetched, or one .gguf file: the one named, or the only one in a"
          + " repository without safetensors. An interrupted download continues where it stopped.",
      "",
      "HF_TOKEN is a token for gated and private repositories, HF_ENDPOINT another Hub,"
          + " HF_HUB_OFFLINE=1 forbids network access. Set a proxy as in Java:"
          + " HIR_JAVA_OPTS=\"-Dhttps.proxyHost=HOST -Dhttps.proxyPort=PORT\"."
    },
    footer = {
      "",
      "Examples:",
      "  hir fetch Qwen/Qwen3-0.6B",
      "  hir fetch HuggingFaceTB/SmolLM2-135M-Instruct@main",
      "  hir fetch Qwen/Qwen3-0.6B-GGUF:Qwen3-0.6B-Q8_0.gguf",
      "  hir fetch hf://datasets/google/IFEval/ifeval_input_data.jsonl"
    })
final class FetchCommand implements Callable<Integer> {

  @Parameters(
      index = "0",
      paramLabel = "NAME[@REVISION]",
      description =
          "OWNER/NAME of a model, OWNER/NAME:FILE.gguf, or hf://datasets/OWNER/NAME/FILE; the"
              + " revision is a branch, a tag or a commit.")
  private String name;

  @Option(names = "--json", description = "Print name (with its commit) and path as JSON.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    HubName asked;
    try {
      asked = name.startsWith("hf://datasets/") ? HubName.file(name) : HubName.model(name);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()));
    }
    Location fetched = Downloads.hub(spec.commandLine().getErr()).fetch(asked);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      ObjectNode report = JsonLines.MAPPER.createObjectNode();
      report.put("name", fetched.toString()).put("path", fetched.path().toString());
      out.println(JsonLines.write(report));
    } else {
      out.println(fetched.path());
    }
    out.flush();
    return 0;
  }
}
