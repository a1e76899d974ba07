#!/usr/bin/env bash
# Call 4 of 7: what neither results nor the emulator show: accesses out of bounds, races in shared memory. Carries .gpu/03.
cd "$(dirname "$0")/../.."
. benchmarks/gpu/common.sh
keep 03
LINES_SHOWN=4
# Small shapes: every kernel of the process is instrumented.
for tool in memcheck racecheck; do
  sanitizer=(compute-sanitizer --tool $tool --print-limit 5)
  if [[ -n ${HIR_EMULATED:-} ]]; then sanitizer=(); fi
  part 45 $tool-decode "${sanitizer[@]}" python3 -B $here/decode.py "$library" --check "${flags[@]}"
  part 45 $tool-passes "${sanitizer[@]}" python3 -B $here/passes.py "$library" --check "${flags[@]}"
done
finish
