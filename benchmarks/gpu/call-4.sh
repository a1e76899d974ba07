#!/usr/bin/env bash
# Call 4 of 7: what neither results nor the emulator show: races in shared memory. Carries .gpu/03.
cd "$(dirname "$0")/../.."
. benchmarks/gpu/common.sh
keep 03
LINES_SHOWN=4
# Small shapes: every kernel of the process is instrumented.
sanitizer=(compute-sanitizer --tool racecheck --print-limit 5)
if [[ -n ${HIR_EMULATED:-} ]]; then sanitizer=(); fi
part 40 races-decode "${sanitizer[@]}" python3 -B $here/decode.py "$library" --check "${flags[@]}"
part 40 races-passes "${sanitizer[@]}" python3 -B $here/passes.py "$library" --check "${flags[@]}"
finish
