#!/usr/bin/env bash
# Before the seven calls, where a host is to be had twice: everything that needs only the library, and where the time goes.
# Carries native/build/linux-x86_64-gpu/lib.
cd "$(dirname "$0")/../.."
. benchmarks/gpu/common.sh
peers=(${ALONE:+--alone}) # ALONE=1 leaves out the peers of passes and decoding
LINES_SHOWN=60
part 15 machine nvidia-smi -L
LINES_SHOWN=30
part 75 kernels python3 -B $here/kernels.py "$library" --check --time "${flags[@]}"
part 45 passes python3 -B $here/passes.py "$library" --check --time "${peers[@]}" "${flags[@]}"
part 110 decode python3 -B $here/decode.py "$library" --check --time "${peers[@]}" "${flags[@]}"
LINES_SHOWN=100
part 40 breakdown python3 -B $here/breakdown.py "$library" --time "${flags[@]}"
pack
finish
