#!/usr/bin/env bash
# Call 3 of 5: how fast is every kernel? Carries .gpu/02.
cd "$(dirname "$0")/../.."
. benchmarks/gpu/common.sh
keep 02
LINES_SHOWN=26
part 90 kernels-time python3 -B $here/kernels.py "$library" --time "${flags[@]}"
finish
