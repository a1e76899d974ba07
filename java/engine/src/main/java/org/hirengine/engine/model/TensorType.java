package org.hirengine.engine.model;

import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/** Element types of safetensors files, with LibTorch's type for those that the engine reads. */
public enum TensorType {
  BOOL(1, ScalarType.Bool),
  U8(1, ScalarType.Byte),
  I8(1, ScalarType.Char),
  F8_E5M2(1, null),
  F8_E4M3(1, null),
  F8_E8M0(1, null),
  I16(2, ScalarType.Short),
  U16(2, null),
  F16(2, ScalarType.Half),
  BF16(2, ScalarType.BFloat16),
  I32(4, ScalarType.Int),
  U32(4, null),
  F32(4, ScalarType.Float),
  F64(8, ScalarType.Double),
  I64(8, ScalarType.Long),
  U64(8, null);

  final int bytes;
  final @Nullable ScalarType scalarType;

  TensorType(int bytes, @Nullable ScalarType scalarType) {
    this.bytes = bytes;
    this.scalarType = scalarType;
  }

  /** The file's type for LibTorch's. */
  static TensorType of(ScalarType scalarType) {
    for (TensorType type : values()) {
      if (type.scalarType == scalarType) {
        return type;
      }
    }
    throw new IllegalArgumentException("no safetensors type for " + scalarType);
  }
}
