package org.hirengine.verify.rule;

import java.util.Set;

/** English words that say nothing of what a text is about, in lower case. */
public final class FunctionWords {

  private static final Set<String> WORDS =
      Set.of(
          ("a about above across after again against all almost along already also although always"
               + " am among an and another any anyone anything are around as at away be became"
               + " because become been before behind being below between both but by came can"
               + " cannot come could did do does doing done down during each either else enough"
               + " even ever every few for from get gets getting give given gives go goes going"
               + " gone got had has have having he her here hers herself him himself his how"
               + " however i if in indeed into is it its itself just keep kept know less let lets"
               + " like likely made make makes making many may maybe me might mine more most much"
               + " must my myself neither never no nobody none nor not nothing now of off often on"
               + " once one ones only onto or other others our ours ourselves out over own per"
               + " perhaps put quite rather really said same say says see seem seemed seems several"
               + " shall she should since so some someone something sometimes still such take takes"
               + " than that the their theirs them themselves then there these they thing things"
               + " this those though through thus to together too toward towards under until up"
               + " upon us use used uses using very was way ways we well went were what whatever"
               + " when whenever where whether which while who whole whom whose why will with"
               + " within without would yet you your yours yourself")
              .split(" "));

  private FunctionWords() {}

  /** Whether {@code word}, in lower case, is one of them. */
  public static boolean contains(String word) {
    return WORDS.contains(word);
  }
}
