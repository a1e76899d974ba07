#!/usr/bin/env bash
# Call 2 of 5: how fast are a decode step and an update? Carries .gpu/01.
cd "$(dirname "$0")/../.."
. benchmarks/gpu/common.sh
keep 01
LINES_SHOWN=14
part 100 decode-time python3 -B $here/decode.py "$library" --time "${flags[@]}"
part 60 passes-time python3 -B $here/passes.py "$library" --time "${flags[@]}"
finish
