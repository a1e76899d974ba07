package org.hirengine.verify.rule;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.MissingResourceException;
import java.util.Optional;
import org.hirengine.text.Similar;

/** Finds a language's code from another name of it. */
final class Languages {

  private Languages() {}

  /**
   * The one of {@code codes} meant by a name such as "English", "eng", "zh_CN", "pt-BR" or
   * "Deutsch", or by a misspelling, if any.
   */
  static Optional<String> code(String named, Collection<String> codes) {
    String tag = named.strip().toLowerCase(Locale.ROOT).replace('_', '-');
    for (String candidate : new String[] {tag, tag.split("-", 2)[0]}) {
      if (codes.contains(candidate)) {
        return Optional.of(candidate);
      }
    }
    Map<String, String> byName = names(codes);
    String code = byName.get(tag);
    return code != null ? Optional.of(code) : Similar.to(tag, byName.keySet()).map(byName::get);
  }

  /** Codes by their languages' names, in English and in the language itself, and longer codes. */
  private static Map<String, String> names(Collection<String> codes) {
    Map<String, String> names = new LinkedHashMap<>();
    for (String code : codes) {
      Locale language = Locale.forLanguageTag(code);
      names.putIfAbsent(language.getDisplayLanguage(Locale.ENGLISH).toLowerCase(Locale.ROOT), code);
      names.putIfAbsent(language.getDisplayLanguage(language).toLowerCase(Locale.ROOT), code);
      try {
        names.putIfAbsent(language.getISO3Language(), code);
      } catch (MissingResourceException e) {
        // a language without a code of three letters
      }
    }
    return names;
  }
}
