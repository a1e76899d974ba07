/** Constraint types and their verifiers, the judge, and the official scores, in pure Java. */
@SuppressWarnings("requires-automatic") // langdetect's manifest declares no module name
module org.hirengine.verify {
  requires transitive com.fasterxml.jackson.databind;
  requires transitive java.net.http;
  requires transitive org.hirengine.text;
  requires static transitive org.jspecify;
  requires langdetect;

  exports org.hirengine.verify;
  exports org.hirengine.verify.judge;
  exports org.hirengine.verify.rule;
  exports org.hirengine.verify.score;
  exports org.hirengine.verify.text;

  uses org.hirengine.verify.ConstraintTypeProvider;
}
