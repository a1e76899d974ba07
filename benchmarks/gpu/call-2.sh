#!/usr/bin/env bash
# Call 2 of 7: every kernel against float64, and its speed. Carries .gpu/01.
cd "$(dirname "$0")/../.."
. benchmarks/gpu/common.sh
keep 01
LINES_SHOWN=28
part 75 kernels python3 -B $here/kernels.py "$library" --check --time "${flags[@]}"
finish
