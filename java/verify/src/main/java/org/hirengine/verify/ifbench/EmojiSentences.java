package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.text.Emoji;

/**
 * {@code EmojiSentenceChecker}: an emoji among the last two characters of each sentence, or the
 * first one of the next, ignoring punctuation.
 */
final class EmojiSentences extends BinaryType {

  private final Sentences sentences;

  EmojiSentences(Sentences sentences) {
    super("format:emoji", "End every sentence with an emoji.");
    this.sentences = sentences;
  }

  @Override
  protected Verdict check(Response response) {
    List<String> all = sentences.of(response);
    for (int i = 0; i < all.size(); i++) {
      String own = bare(all.get(i));
      if (own.isEmpty()) {
        return sentences.revision().raised("a sentence is all punctuation");
      }
      int last = own.codePointBefore(own.length());
      int before = own.length() - Character.charCount(last);
      if (Emoji.isEmoji(last) || (before > 0 && Emoji.isEmoji(own.codePointBefore(before)))) {
        continue;
      }
      if (i + 1 < all.size()) {
        String next = bare(all.get(i + 1));
        if (next.isEmpty()) {
          return sentences.revision().raised("a sentence is all punctuation");
        }
        if (Emoji.isEmoji(next.codePointAt(0))) {
          continue;
        }
      }
      return Verdict.violated("sentence " + (i + 1) + " does not end with an emoji");
    }
    return Verdict.satisfied("every sentence ends with an emoji");
  }

  private static String bare(String sentence) {
    return PyText.strip(PyText.removePunctuation(sentence));
  }
}
