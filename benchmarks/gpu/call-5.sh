#!/usr/bin/env bash
# Call 5 of 7: unpacks the engine; what it finds, and its tests tagged gpu. Carries .gpu/04.
cd "$(dirname "$0")/../.."
. benchmarks/gpu/common.sh
keep 04
part 60 unpack bash -c "cat '$home'/parts/hir-gpu.tar.xz.* | xz -T0 -dc | tar -x -C '$home'"
packed=$home/hir-gpu
# The library of call 1 may be newer than the packed one.
cp "$library" "$packed/lib/"
# With the path that Java gets.
part 10 missing bash -c "root='$packed'; . '$packed/java.sh'; export LD_LIBRARY_PATH=\$path
  ! ldd '$packed'/lib/libtorch_cuda.so '$packed'/lib/libjnitorch_cuda.so 2>/dev/null | grep 'not found'"
part 60 doctor "$packed/hir" doctor
part 150 tests "$packed/tests.sh"
# JUnit is content with no test at all.
grep -qE '^\[ +[1-9][0-9]* tests started' "$OUT/tests.log" || failed+=("no test was started")
finish
