package org.hirengine.kernels.presets;

import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * How JavaCPP binds {@code native/include/hir_env.h}. It is a separate library without OpenMP,
 * because it must run before any numeric library is loaded.
 */
@Properties(
    value = {
      @Platform(value = "linux-x86_64", cinclude = "hir_env.h", link = "hir_env"),
      @Platform(value = "linux-x86_64", extension = "-gpu")
    },
    target = "org.hirengine.kernels.global.hirenv")
@NoException
public class HirEnv implements InfoMapper {

  @Override
  public void map(InfoMap infoMap) {
    infoMap.put(new Info("HIR_API").cppTypes().annotations());
  }
}
