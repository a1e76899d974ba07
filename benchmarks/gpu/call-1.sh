#!/usr/bin/env bash
# Call 1 of 5: is every kernel right? Carries native/build/linux-x86_64-gpu/lib and .gpu/00.
cd "$(dirname "$0")/../.."
. benchmarks/gpu/common.sh
keep 00
part 10 machine nvidia-smi -L
part 90 kernels-check python3 -B $here/kernels.py "$library" --check "${flags[@]}"
part 60 decode-check python3 -B $here/decode.py "$library" --check "${flags[@]}"
part 60 passes-check python3 -B $here/passes.py "$library" --check "${flags[@]}"
finish
