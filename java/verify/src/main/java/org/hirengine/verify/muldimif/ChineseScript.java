package org.hirengine.verify.muldimif;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.util.BitSet;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Wording;

/**
 * {@code Language_Chinese}: simplified or traditional characters.
 *
 * <p>The reference asks a conversion table whether a character changes when it is converted. Here a
 * character is simplified when the mainland's basic character set (GB 2312) holds it and Taiwan's
 * (Big5) does not, and traditional in the opposite case, among Big5's frequent characters;
 * characters for which the table differs are listed. Curly quotation marks count as simplified and
 * corner brackets as traditional, as each is converted to the other. Rarer characters, and words
 * that are converted as a whole, may get a verdict other than the reference's.
 */
final class ChineseScript {

  private static final int FIRST = 0x4E00;
  private static final int LAST = 0x9FFF;

  /** The end of Big5's first plane, that of frequent characters. */
  private static final int BIG5_FREQUENT_END = 0xC67E;

  /** Simplified although both sets hold them, or neither: their traditional form differs. */
  private static final String ALSO_SIMPLIFIED =
      "\u4E07\u4E0E\u4E11\u4E2A\u4E30\u4E48\u4E8E\u4E91\u4EC6\u4ECE\u4EF7\u4F18\u4F19"
          + "\u4F53\u4F59\u4F63\u513F\u515A\u51C4\u51C6\u51E0\u51F6\u5212\u529E\u533B\u5360"
          + "\u5382\u5398\u53F0\u5401\u540E\u5428\u542C\u54A8\u54B8\u5582\u55AB\u5723\u574F"
          + "\u590D\u5938\u5B81\u5C14\u5C38\u5CA9\u5CAD\u5CB3\u5E18\u5E72\u5E76\u5E84\u5F02"
          + "\u5F81\u5FCF\u6000\u601C\u60CA\u613F\u6251\u6258\u6270\u6302\u636E\u6597\u65E0"
          + "\u6635\u6652\u6734\u673A\u6760\u6770\u6781\u6784\u67DC\u6816\u6817\u68F1\u6A90"
          + "\u6C14\u6C61\u6CC4\u6CDE\u6D01\u6D12\u6D3C\u6D82\u6D8C\u6DC0\u6E38\u7096\u718F"
          + "\u74EE\u75D2\u75F3\u75F9\u7661\u777E\u7845\u786E\u793C\u7955\u79BB\u79CD\u7B51"
          + "\u7BF1\u7E94\u7F51\u7FA1\u80AE\u80B4\u80DC\u8123\u814A\u814C\u81BB\u82E7\u82F9"
          + "\u8303\u8327\u8350\u866B\u866E\u8671\u8695\u869D\u8721\u874E\u89E6\u8D76\u8DD6"
          + "\u8E0A\u8F9F\u9002\u90C1\u91C7\u91CC\u96C7\u9709\u2018\u2019\u201C\u201D";

  /** Not simplified, although only the mainland's set holds them. */
  private static final String NOT_SIMPLIFIED =
      "\u4E28\u4E2C\u4E36\u4E3F\u4EA0\u4EBB\u4EEB\u4F32\u502E\u5088\u5182\u5196\u51AB"
          + "\u51C7\u51FC\u5202\u5290\u52D0\u52F9\u535F\u5369\u53B6\u5416\u5421\u5432\u544B"
          + "\u5494\u54A3\u54B4\u54CC\u54D0\u54DA\u5523\u553F\u5549\u55B9\u55EA\u55EC\u55F5"
          + "\u561E\u5623\u562D\u564D\u5654\u567B\u567C\u56AF\u5742\u57A1\u57A7\u57DD\u57EF"
          + "\u5844\u586C\u5892\u589A\u5902\u5B80\u5C1C\u5C99\u5C9C\u5CC1\u5D3E\u5D5B\u5D74"
          + "\u5DDB\u5E5E\u5EF4\u5F50\u5F61\u5FC4\u61B7\u624C\u63DE\u63F8\u64C0\u6534\u6535"
          + "\u656B\u6657\u684A\u6855\u6980\u6998\u6AAB\u6BEA\u6C35\u6C3D\u6CB2\u6D5C\u6EBB"
          + "\u706C\u70BB\u70C0\u7145\u714A\u7173\u717A\u7198\u728F\u729F\u72AD\u72CD\u7338"
          + "\u7339\u73C9\u73CF\u7519\u7572\u7583\u7592\u75C3\u7640\u764D\u7654\u766F\u7743"
          + "\u7818\u7839\u783C\u7847\u78B9\u78D9\u7934\u793B\u7B62\u7B7B\u7BA2\u7BFC\u7F71"
          + "\u8020\u8025\u8031\u8080\u809F\u80B7\u80BC\u80BD\u80E9\u80EC\u810E\u8112\u8132"
          + "\u8148\u8159\u815A\u81AA\u81C1\u822D\u823E\u8279\u82AA\u82C4\u82CA\u82D8\u82F7"
          + "\u831A\u839C\u8418\u841C\u845C\u8488\u84BD\u8538\u85C1\u8770\u877D\u878B\u87EE"
          + "\u8864\u8E3A\u8ECE\u8FB6\u90C4\u915E\u9176\u918C\u943E\u961D\u97B4\u9AB6\u9ABA"
          + "\u9B0F\u9EE2\u9F44";

  /** Traditional although both sets hold them; corner brackets are too. */
  private static final String ALSO_TRADITIONAL =
      "\u300C\u300D\u300E\u300F\u4E7E\u5412\u5925\u5F8C\u5FB5\u62DA\u6371\u647A\u65BC"
          + "\u6998\u6E16\u752F\u77FD\u83F8\u85B9\u8C18\u91A3\u91AF\u949C\u953A\u955F\u9980"
          + "\u9EB4\u9EBD";

  /** Not traditional, although only Taiwan's set holds them. */
  private static final String NOT_TRADITIONAL =
      "\u4F0B\u4F15\u4F7A\u506D\u506F\u507A\u50C7\u50CE\u50E9\u5105\u5133\u5159\u515B"
          + "\u515D\u515E\u5161\u5163\u52BB\u52D7\u5344\u540B\u544E\u55E7\u5610\u5809\u586D"
          + "\u587D\u58A6\u596D\u59C5\u5C58\u5C5D\u5D01\u5DC9\u5E1F\u5F4A\u5FAC\u60C7\u6112"
          + "\u6147\u6286\u649A\u64A2\u64ED\u6554\u6624\u6645\u665E\u668D\u66B8\u6757\u6793"
          + "\u6818\u6882\u68A1\u68B1\u68FB\u695B\u69A3\u69C3\u6A7E\u6AC2\u6AFA\u6B5C\u6BDA"
          + "\u6C4D\u6C8D\u6C98\u6CAC\u6CDC\u6D38\u6D65\u6D6C\u6D8A\u6E63\u6E69\u6E72\u6F5F"
          + "\u6F60\u6FB4\u6FE9\u6FEC\u70A4\u711C\u7146\u7156\u71D0\u71F8\u7386\u73A5\u73A8"
          + "\u73EA\u73EE\u740D\u742F\u7498\u749F\u74D6\u74E9\u753D\u75A2\u75F3\u778B\u7820"
          + "\u787F\u7947\u7950\u7A4B\u7B84\u7C63\u7C65\u7CCE\u7CE2\u7E3F\u8011\u8124\u8130"
          + "\u82A3\u82E7\u8506\u8617\u8879\u88EF\u8915\u893D\u899C\u89D4\u89FC\u8A68\u8A7B"
          + "\u8AA7\u8C3F\u8C6D\u8CF8\u8DE6\u8DFC\u8E21\u8FC6\u8FFA\u905D\u90C3\u9117\u9118"
          + "\u91C6\u91ED\u927C\u96CA\u9724\u97F9\u9BC8\u9DB8";

  private static final BitSet SIMPLIFIED = new BitSet();
  private static final BitSet TRADITIONAL = new BitSet();

  static {
    Charset mainland = Charset.forName("GB2312");
    Charset taiwan = Charset.forName("Big5");
    for (int c = FIRST; c <= LAST; c++) {
      int gb = code(mainland, (char) c);
      int big5 = code(taiwan, (char) c);
      SIMPLIFIED.set(c, gb >= 0 && big5 < 0);
      TRADITIONAL.set(c, gb < 0 && big5 >= 0 && big5 <= BIG5_FREQUENT_END);
    }
    ALSO_SIMPLIFIED.chars().forEach(SIMPLIFIED::set);
    NOT_SIMPLIFIED.chars().forEach(SIMPLIFIED::clear);
    ALSO_TRADITIONAL.chars().forEach(TRADITIONAL::set);
    NOT_TRADITIONAL.chars().forEach(TRADITIONAL::clear);
  }

  // The wordings of the reference's rules, in their order.
  private static final PyPattern PHRASE =
      PyPattern.compile("must include the phrase \"{1,2}(.+?)\"{1,2}", PyPattern.IGNORECASE);
  private static final PyPattern NAME =
      PyPattern.compile(
          "must write the name \"shen lim\" in simplified chinese", PyPattern.IGNORECASE);
  private static final PyPattern ONLY_TRADITIONAL =
      PyPattern.compile(
          "must (?:use|convert into|be converted into) traditional chinese characters",
          PyPattern.IGNORECASE);
  private static final PyPattern SOME_TRADITIONAL =
      PyPattern.compile(
          "(?:include|use) .*?traditional chinese characters"
              + "|\u4F7F\u7528\u7E41\u9AD4\u4E2D\u6587",
          PyPattern.IGNORECASE);
  private static final PyPattern SOME_SIMPLIFIED =
      PyPattern.compile(
          "include some content in simplified chinese|use simplified chinese characters"
              + "|(?:must (?:be|use|write|be presented)|answer must be|essential|is|should be"
              + "|\u5FC5\u987B|\u8BF7|\u9700\u8981) ?"
              + "(?:(?:provided |written |conducted )?in|to use|\u7528|\u4F7F\u7528"
              + "|\u63D0\u4F9B|\u4E66\u5199|(?:\u5C06\u6587\u672C)?\u7FFB\u8BD1\u4E3A) ?"
              + "(?:simplified chinese|\u7B80\u4F53\u4E2D\u6587)"
              + "|\u7528\u4E2D\u6587\u7B80\u4F53\u63CF\u8FF0"
              + "|names must be in simplified chinese",
          PyPattern.IGNORECASE);

  private static final PyPattern ONLY_SIMPLIFIED =
      PyPattern.compile("must translate the text into simplified chinese", PyPattern.IGNORECASE);
  private static final PyPattern ANY_SIMPLIFIED =
      PyPattern.compile("simplified", PyPattern.IGNORECASE);

  private ChineseScript() {}

  /** The code of a character in a two-byte set, or -1. */
  private static int code(Charset charset, char c) {
    try {
      ByteBuffer bytes = charset.newEncoder().encode(CharBuffer.wrap(new char[] {c}));
      return bytes.remaining() == 2 ? bytes.getShort() & 0xFFFF : -1;
    } catch (CharacterCodingException e) {
      return -1;
    }
  }

  static Verifier of(Demand demand) {
    PyPattern.Match phrase = demand.match(PHRASE);
    if (phrase != null) {
      return holds(String.valueOf(phrase.group(1)));
    }
    if (demand.says(NAME)) {
      return holds("\u6C88\u6797");
    }
    if (demand.says(ONLY_TRADITIONAL)) {
      return response -> without(SIMPLIFIED, response);
    }
    if (demand.says(SOME_TRADITIONAL)) {
      return response -> with(TRADITIONAL, response);
    }
    if (demand.says(SOME_SIMPLIFIED)) {
      return response -> with(SIMPLIFIED, response);
    }
    if (demand.says(ONLY_SIMPLIFIED)) {
      return response -> without(TRADITIONAL, response);
    }
    return demand.says(ANY_SIMPLIFIED)
        ? response -> with(SIMPLIFIED, response)
        : NotUnderstood.violated("neither simplified nor traditional characters");
  }

  private static Verifier holds(String phrase) {
    return response ->
        Verdict.of(response.text().contains(phrase), Wording.brief(phrase) + " asked");
  }

  private static Verdict with(BitSet wanted, Response response) {
    boolean found = response.text().chars().anyMatch(wanted::get);
    return Verdict.of(found, found ? "characters of the script" : "no character of the script");
  }

  private static Verdict without(BitSet unwanted, Response response) {
    if (response.text().chars().anyMatch(ChineseScript::isLatin)) {
      return Verdict.violated("Latin letters");
    }
    boolean found = response.text().chars().anyMatch(unwanted::get);
    return Verdict.of(!found, found ? "characters of the other script" : "no other script");
  }

  private static boolean isLatin(int c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  }
}
