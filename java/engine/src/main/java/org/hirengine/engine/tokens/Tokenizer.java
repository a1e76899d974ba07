package org.hirengine.engine.tokens;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import com.fasterxml.jackson.core.JsonProcessingException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongFunction;
import org.hirengine.engine.gguf.ModelFiles;
import org.hirengine.replay.DataException;
import org.jspecify.annotations.Nullable;

/**
 * The tokenizer of a model folder: the Hugging Face library with the folder's {@code
 * tokenizer.json}, of any kind. It never truncates, never pads, and never touches the network.
 *
 * <p>Any number of threads may use one instance; closing waits for the calls under way.
 */
public final class Tokenizer implements AutoCloseable {

  private static final String FILE = "tokenizer.json";

  private final Path model;
  private final SpecialTokens specialTokens;
  private final Vocabulary vocabulary;
  private final Map<Integer, String> tokens;

  // Readers use the native object, the writer frees it.
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private long handle;
  private @Nullable Tokenizer marking;

  private Tokenizer(Path model, long handle, Vocabulary vocabulary, SpecialTokens specialTokens) {
    this.model = model;
    this.handle = handle;
    this.vocabulary = vocabulary;
    this.specialTokens = specialTokens;
    this.tokens = new HashMap<>(vocabulary.ids().size() * 2);
    vocabulary.ids().forEach((token, id) -> tokens.put(id, token));
  }

  /**
   * Loads the tokenizer of a model.
   *
   * @param model a GGUF file, or a folder that holds {@code tokenizer.json} and, for the special
   *     tokens' roles, {@code tokenizer_config.json} or {@code special_tokens_map.json}
   * @throws DataException when a file is missing or cannot be used
   */
  public static Tokenizer load(Path model) {
    String file = ModelFiles.label(model, FILE);
    String json =
        ModelFiles.text(model, FILE)
            .orElseThrow(
                () ->
                    new DataException(
                        file,
                        0,
                        null,
                        "not found",
                        "a model folder needs tokenizer.json (in Python:"
                            + " AutoTokenizer.from_pretrained(...).save_pretrained(folder) writes"
                            + " it)"));
    Vocabulary vocabulary = Vocabulary.parse(json, file);
    SpecialTokens specialTokens = SpecialTokens.load(model);
    checkEos(file, vocabulary, specialTokens);
    return new Tokenizer(model, create(json, file), vocabulary, specialTokens);
  }

  /**
   * The same tokenizer for texts that {@link ControlText#marked} made: it recognises control tokens
   * only between marks. Made on first use, freed with this tokenizer.
   */
  synchronized Tokenizer marking() {
    if (marking == null) {
      String file = ModelFiles.label(model, FILE);
      try {
        String json =
            ControlText.marking(ModelFiles.text(model, FILE).orElseThrow(), vocabulary.special());
        Tokenizer made =
            new Tokenizer(model, create(json, file), Vocabulary.parse(json, file), specialTokens);
        marking = made;
        for (String token : vocabulary.special()) {
          int[] ids = made.encode(ControlText.spelt(token));
          if (ids.length != 1 || ids[0] != vocabulary.ids().get(token)) {
            throw new DataException(
                file,
                0,
                "added_tokens",
                "spells '" + token + "' in a way that text cannot be told from",
                "read control tokens in texts as what they are: data.control_tokens=read");
          }
        }
      } catch (JsonProcessingException e) {
        throw ModelFile.malformed(file, e);
      }
    }
    return marking;
  }

  /** Distinguishes control tokens from equal text. */
  ControlText controlText() {
    return new ControlText(vocabulary.special());
  }

  /**
   * A response ends with this token and its text omits it, so the library must know the token as
   * special.
   */
  private static void checkEos(String file, Vocabulary vocabulary, SpecialTokens specialTokens) {
    String eos = specialTokens.eos();
    if (eos != null && !vocabulary.special().contains(eos)) {
      throw new DataException(
          file,
          0,
          "added_tokens",
          "does not list '" + eos + "' as special, which is the eos_token of the model's folder",
          "add it to added_tokens with \"special\": true, or correct eos_token in"
              + " tokenizer_config.json");
    }
  }

  private static long create(String json, String file) {
    // Offline, the library uses the CPU build in its jar instead of downloading another one, even
    // on a machine with a GPU.
    if (System.getProperty("ai.djl.offline") == null) {
      System.setProperty("ai.djl.offline", "true");
    }
    try {
      loadLibrary();
    } catch (EngineException | UnsatisfiedLinkError e) {
      throw new IllegalStateException(
          "the tokenizer library cannot be loaded; it is unpacked into ~/.djl.ai (the environment"
              + " variable DJL_CACHE_DIR names another folder): "
              + e.getMessage(),
          e);
    }
    long handle;
    try {
      handle = TokenizersLibrary.LIB.createTokenizerFromString(json);
    } catch (RuntimeException e) {
      throw new DataException(
          file,
          0,
          null,
          "is no tokenizer: " + e.getMessage(),
          "copy tokenizer.json again from the model's source");
    }
    TokenizersLibrary.LIB.disableTruncation(handle);
    TokenizersLibrary.LIB.disablePadding(handle);
    return handle;
  }

  /**
   * The library finds its own files through the thread's context class loader, which in a thread
   * pool of a packaged application does not see them; a failure would last for the life of the
   * process.
   */
  private static void loadLibrary() {
    Thread thread = Thread.currentThread();
    ClassLoader context = thread.getContextClassLoader();
    thread.setContextClassLoader(TokenizersLibrary.class.getClassLoader());
    try {
      LibUtils.checkStatus();
    } finally {
      thread.setContextClassLoader(context);
    }
  }

  /**
   * Token ids of a text, without the special tokens that the model's post-processor would add.
   * Special tokens written in the text are recognised.
   *
   * @param text any text; a lone surrogate, which no UTF-8 can hold, counts as U+FFFD
   */
  public int[] encode(String text) {
    return encode(text, false);
  }

  /**
   * Token ids of a text.
   *
   * @param text any text; a lone surrogate, which UTF-8 cannot encode, counts as U+FFFD
   * @param addSpecialTokens whether the model's post-processor adds its special tokens, such as a
   *     leading {@code <|begin_of_text|>}
   */
  public int[] encode(String text, boolean addSpecialTokens) {
    String wellFormed = wellFormed(text);
    long[] ids =
        using(
            tokenizer -> {
              long encoding = TokenizersLibrary.LIB.encode(tokenizer, wellFormed, addSpecialTokens);
              try {
                return TokenizersLibrary.LIB.getTokenIds(encoding);
              } finally {
                TokenizersLibrary.LIB.deleteEncoding(encoding);
              }
            });
    return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
  }

  /**
   * The text of token ids. Bytes that form no UTF-8 character become U+FFFD; an id beyond the
   * vocabulary (a model's embedding may have more rows than there are tokens) has no text.
   *
   * @param ids token ids
   * @param skipSpecialTokens whether to omit special tokens
   * @throws IllegalArgumentException for a negative id
   */
  public String decode(int[] ids, boolean skipSpecialTokens) {
    long[] wide = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0) {
        throw new IllegalArgumentException("token id " + ids[i] + " at position " + i);
      }
      wide[i] = ids[i];
    }
    return using(tokenizer -> TokenizersLibrary.LIB.decode(tokenizer, wide, skipSpecialTokens));
  }

  /** One more than the highest token id: the minimum number of rows of an embedding. */
  public int vocabularySize() {
    return vocabulary.size();
  }

  /** The id of a token in the tokenizer's own spelling, if it has that token. */
  public OptionalInt id(String token) {
    Integer id = vocabulary.ids().get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /** The token of an id in the tokenizer's own spelling, or null if the id has none. */
  public @Nullable String token(int id) {
    return tokens.get(id);
  }

  /** Whether decoding can omit this token. */
  public boolean isSpecial(int id) {
    String token = tokens.get(id);
    return token != null && vocabulary.special().contains(token);
  }

  /** The tokens with a role. */
  public SpecialTokens specialTokens() {
    return specialTokens;
  }

  /** The id of the token that ends a text or a turn, if the model names one. */
  public OptionalInt eosId() {
    return roleId(specialTokens.eos());
  }

  /** The id of the token that begins a text, if the model names one and has it. */
  public OptionalInt bosId() {
    return roleId(specialTokens.bos());
  }

  /** The id of the token that fills up batches, if the model names one and has it. */
  public OptionalInt padId() {
    return roleId(specialTokens.pad());
  }

  private OptionalInt roleId(@Nullable String token) {
    return token == null ? OptionalInt.empty() : id(token);
  }

  private <T> T using(LongFunction<T> call) {
    Lock reading = lock.readLock();
    reading.lock();
    try {
      if (handle == 0) {
        throw new IllegalStateException("the tokenizer is closed");
      }
      return call.apply(handle);
    } finally {
      reading.unlock();
    }
  }

  /** Replaces lone surrogates; a single one would make the native bridge garble the whole text. */
  private static String wellFormed(String text) {
    StringBuilder copy = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!Character.isSurrogate(c)) {
        continue;
      }
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
        continue;
      }
      if (copy == null) {
        copy = new StringBuilder(text);
      }
      copy.setCharAt(i, '\uFFFD');
    }
    return copy == null ? text : copy.toString();
  }

  /** Frees the native tokenizer once the calls under way are done. */
  @Override
  public void close() {
    Lock writing = lock.writeLock();
    writing.lock();
    try {
      if (handle != 0) {
        TokenizersLibrary.LIB.deleteTokenizer(handle);
        handle = 0;
      }
    } finally {
      writing.unlock();
    }
    synchronized (this) {
      if (marking != null) {
        marking.close();
      }
    }
  }
}
