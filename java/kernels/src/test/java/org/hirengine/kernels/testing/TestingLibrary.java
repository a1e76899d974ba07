package org.hirengine.kernels.testing;

import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.hirengine.kernels.global.hirkernels;

/**
 * {@code native/include/hir_testing.h}: native code for tests and benchmarks, in a library of its
 * own that no package for users contains. Two functions need no parser: JavaCPP compiles this class
 * as it is.
 */
@Properties({
  @Platform(value = "linux-x86_64", cinclude = "hir_testing.h", link = "hir_testing"),
  @Platform(value = "linux-x86_64", extension = "-gpu")
})
@NoException
public final class TestingLibrary {

  static {
    Loader.load(hirkernels.class); // which it looks for among what is loaded
    Loader.load();
  }

  private TestingLibrary() {}

  /** A rate of this machine that bounds kernels, and its code in the header. */
  public enum Ceiling {
    READ(0),
    COPY(1),
    IN_PLACE(2),
    EXP(3);

    private final int code;

    Ceiling(int code) {
      this.code = code;
    }

    /**
     * Runs one pass over {@code count} floats at {@code x} (and {@code y}, for {@link #COPY}).
     *
     * @return HIR_OK or an error code
     */
    public int probe(long x, long y, long count) {
      return TestingLibrary.probe(code, x, y, count);
    }
  }

  /** Makes backend HIR_CUDA_EMULATED usable in this process. */
  @Name("hir_emulate")
  public static native void emulate();

  @Name("hir_probe")
  private static native int probe(int what, long x, long y, long count);
}
