package org.hirengine.text;

/**
 * The random numbers of Python's {@code random.Random} for a small non-negative integer seed:
 * MT19937 (Matsumoto and Nishimura, 1998), so that the references' random draws can be reproduced.
 */
public final class PyRandom {

  private static final int N = 624;
  private static final int M = 397;

  private final int[] state = new int[N];
  private int index = N;
  private double nextGauss = Double.NaN;

  public PyRandom(int seed) {
    state[0] = 19650218;
    for (int i = 1; i < N; i++) {
      state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    }
    int i = 1;
    for (int k = 0; k < N; k++) {
      state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >>> 30)) * 1664525)) + seed;
      if (++i == N) {
        state[0] = state[N - 1];
        i = 1;
      }
    }
    for (int k = 0; k < N - 1; k++) {
      state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >>> 30)) * 1566083941)) - i;
      if (++i == N) {
        state[0] = state[N - 1];
        i = 1;
      }
    }
    state[0] = 0x80000000;
  }

  private int nextInt() {
    if (index == N) {
      for (int k = 0; k < N; k++) {
        int y = (state[k] & 0x80000000) | (state[(k + 1) % N] & 0x7FFFFFFF);
        state[k] = state[(k + M) % N] ^ (y >>> 1) ^ ((y & 1) == 0 ? 0 : 0x9908B0DF);
      }
      index = 0;
    }
    int y = state[index++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9D2C5680;
    y ^= (y << 15) & 0xEFC60000;
    return y ^ (y >>> 18);
  }

  /** {@code random()}: 53 random bits in [0, 1). */
  public double random() {
    int a = nextInt() >>> 5;
    int b = nextInt() >>> 6;
    return (a * 67108864.0 + b) / 9007199254740992.0;
  }

  /** {@code randrange(bound)}: uniform in [0, bound). */
  public int below(int bound) {
    int bits = 32 - Integer.numberOfLeadingZeros(bound);
    int r = nextInt() >>> (32 - bits);
    while (r >= bound) {
      r = nextInt() >>> (32 - bits);
    }
    return r;
  }

  /** {@code gauss(0.0, 1.0)}. */
  public double gauss() {
    if (!Double.isNaN(nextGauss)) {
      double z = nextGauss;
      nextGauss = Double.NaN;
      return z;
    }
    double angle = random() * (2.0 * Math.PI);
    double radius = Math.sqrt(-2.0 * Math.log(1.0 - random()));
    nextGauss = Math.sin(angle) * radius;
    return Math.cos(angle) * radius;
  }
}
