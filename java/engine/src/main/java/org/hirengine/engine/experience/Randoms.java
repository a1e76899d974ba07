package org.hirengine.engine.experience;

import java.util.SplittableRandom;

/**
 * Random choices outside the kernels. Each has its own stream, keyed by its purpose, and nothing
 * carries over from one to the next, so a resumed run needs no state to repeat them.
 */
public record Randoms(long seed) {

  /** What a choice is for; the ordinal is part of the key, so new purposes go to the end. */
  enum Purpose {
    DATA_ORDER,
    SELECTION,
    REWRITE,
    REPLAY_CAP
  }

  /** The stream of one choice, identified by {@code keys} such as step and row. */
  SplittableRandom stream(Purpose purpose, long... keys) {
    long key = mix(seed + 0x9E3779B97F4A7C15L * (purpose.ordinal() + 1));
    for (long part : keys) {
      // A different odd constant than above: equal seed and part must not cancel out.
      key = mix(key ^ mix(part + 0xD1B54A32D192ED03L));
    }
    return new SplittableRandom(key);
  }

  /** Finaliser of SplitMix64 (Stafford's variant 13). */
  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
