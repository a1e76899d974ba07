package org.hirengine.kernels.presets;

import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * How JavaCPP binds {@code native/include/hir_kernels.h}. Where LibTorch is on the class path, the
 * kernels use the OpenMP runtime that it ships: two runtimes in one process would compete for the
 * cores.
 */
@Properties(
    value = {
      @Platform(
          value = "linux-x86_64",
          cinclude = "hir_kernels.h",
          link = "hir_kernels",
          preload = "gomp@.1",
          preloadresource = "/org/bytedeco/pytorch/"),
      @Platform(value = "linux-x86_64", extension = "-gpu")
    },
    target = "org.hirengine.kernels.global.hirkernels")
@NoException
public class HirKernels implements InfoMapper {

  @Override
  public void map(InfoMap infoMap) {
    infoMap
        .put(new Info("HIR_API").cppTypes().annotations())
        .put(new Info("hir_address", "int64_t").cast().valueTypes("long").pointerTypes("long[]"));
  }
}
