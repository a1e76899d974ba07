package org.hirengine.kernels.testing;

import org.bytedeco.javacpp.Pointer;

/** Where the buffers of a test lie. */
public interface Memory {

  /** The CPU's. */
  Memory HOST =
      content ->
          new Block() {
            @Override
            public long address() {
              return content.address();
            }

            @Override
            public void read(Pointer target, long bytes) {
              Pointer.memcpy(target, content, bytes);
            }

            @Override
            public void close() {
              content.close();
            }
          };

  /** Puts {@code content}, which lies on the CPU, there; the result owns it. */
  Block hold(Pointer content);

  /** Memory of one buffer. */
  interface Block extends AutoCloseable {

    long address();

    /** Copies its first bytes to the CPU. */
    void read(Pointer target, long bytes);

    @Override
    void close();
  }
}
