package org.hirengine.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ThinkingTest {

  @ParameterizedTest
  @CsvSource({
    "'<think>a</think> b', b",
    "'</think>\tb ', 'b '",
    "'a</think>b</think>c', c",
    "' no thought', ' no thought'",
    "'<think>without end', '<think>without end'",
    "'a</think>', ''",
  })
  void keepsWhatFollowsTheLastThought(String text, String rest) {
    assertEquals(rest, Thinking.strip(text));
  }
}
