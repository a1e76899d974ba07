#!/usr/bin/env bash
# Call 1 of 7: is every kernel right, and how fast are a decode step and an update? Carries native/build/linux-x86_64-gpu/lib
# and .gpu/00.
cd "$(dirname "$0")/../.."
. benchmarks/gpu/common.sh
keep 00
part 10 machine nvidia-smi -L
LINES_SHOWN=14
part 60 decode python3 -B $here/decode.py "$library" --check --time --alone "${flags[@]}"
# The same with each kernel waiting for the end of the one before.
part 30 decode-waiting env HIR_NO_PDL=1 python3 -B $here/decode.py "$library" --time --alone --shapes qwen3-0.6b --batches 1,8,64 "${flags[@]}" --out "$OUT/waiting"
part 45 passes python3 -B $here/passes.py "$library" --check --time --alone "${flags[@]}"
LINES_SHOWN=90
part 40 breakdown python3 -B $here/breakdown.py "$library" --time "${flags[@]}"
pack
finish
