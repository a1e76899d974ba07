package org.hirengine.kernels.testing;

import org.bytedeco.javacpp.Pointer;

/** Memory for the buffers of a test. */
public interface Memory {

  /** The CPU's memory. */
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

  /** Copies {@code content}, which is on the CPU, to this memory; the result owns the copy. */
  Block hold(Pointer content);

  /** One buffer. */
  interface Block extends AutoCloseable {

    long address();

    /** Copies its first bytes to the CPU. */
    void read(Pointer target, long bytes);

    @Override
    void close();
  }
}
