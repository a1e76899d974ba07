package org.hirengine.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.hirengine.verify.Response;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FloorTest {

  private static final String QUESTION = "Why do bridges over rivers need care in winter?";

  /** The first column is the highest floor that admits the response. */
  @ParameterizedTest
  @CsvSource({
    "TOPIC, 'A bridge freezes sooner than the road.'",
    "TOPIC, 'River ice pushes against it.'",
    "TOPIC, 'WINTER'",
    "TOPIC, '* Salt\n* A [name] who looks after the bridge'",
    "TOPIC, 'पुल पर बर्फ जमती है।'",
    "TOPIC, '橋は冬に凍ります。'",
    "PROSE, 'That is all.'",
    "PROSE, '7\n9\n10'",
    "PROSE, 'Last year 42 people asked.'",
    "PROSE, 'Why would they? Please explain over there.'",
    "NONE, '** ** **'",
    "NONE, '```\n```\n```'",
    "NONE, '<<<<<<bridge>>>>>>'",
    "NONE, '***'",
    "NONE, ' '",
  })
  void highestFloorOf(Floor highest, String response) {
    for (Floor floor : Floor.values()) {
      assertEquals(
          floor.ordinal() <= highest.ordinal(),
          floor.admits(QUESTION, Response.of(response)),
          floor + ": " + response);
    }
  }

  @ParameterizedTest
  @CsvSource({"the bridge , 3, true", "the bridge , 40, false", "P.P.S. , 30, false"})
  void longTextsMustNotRepeatThemselves(String piece, int times, boolean admitted) {
    assertEquals(admitted, Floor.PROSE.admits(QUESTION, Response.of((piece + " ").repeat(times))));
  }

  @ParameterizedTest
  @CsvSource({"''", "'?'", "'Go on'", "'Please explain this.'"})
  void aRequestWithoutWordsOfContentHasNoTopic(String question) {
    assertEquals(true, Floor.TOPIC.admits(question, Response.of("That is all.")));
  }
}
