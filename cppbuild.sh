#!/usr/bin/env bash
# Builds native/ into native/build/linux-x86_64[-gpu]/{lib,lib/testing,include}; does nothing when all is up to date.
#   cppbuild.sh [cpu|gpu] [test]     test also runs the native tests; gpu adds the CUDA kernels to the CPU's (needs nvcc)
#   cppbuild.sh cpu sanitize         the native tests under AddressSanitizer and UndefinedBehaviorSanitizer, in a separate build
set -euo pipefail
cd "$(dirname "$0")"

target=${1:-cpu}
case "$target" in
  cpu) extension="" options=() tools=(cmake g++) ;;
  gpu) extension="-gpu" options=(-DHIR_GPU=ON) tools=(cmake g++ nvcc) ;;
  *)
    echo "usage: cppbuild.sh [cpu|gpu] [test|sanitize]" >&2
    exit 2
    ;;
esac
if [[ "$(uname -sm)" != "Linux x86_64" ]]; then
  echo "cppbuild.sh: the kernels are written for Linux on x86_64, this is $(uname -sm)" >&2
  exit 1
fi
for tool in "${tools[@]}"; do
  command -v "$tool" >/dev/null && continue
  echo "cppbuild.sh: $tool is missing (Debian: apt-get install cmake g++; nvcc comes with the CUDA toolkit 13)" >&2
  exit 1
done

build="native/build/linux-x86_64$extension"
if [[ "${2:-}" == sanitize ]]; then
  build+="-sanitize"
  options+=(-DHIR_SANITIZE=ON)
fi
stamp="$build/.installed"
if [[ ! -e "$stamp" || -n "$(find native cppbuild.sh -path native/build -prune -o -type f -newer "$stamp" -print -quit)" ]]; then
  mkdir -p "$build"
  log="$build/build.log"
  started=$(date +%s%N)
  if ! { cmake -S native -B "$build/cmake" -DCMAKE_INSTALL_PREFIX="$PWD/$build" "${options[@]}" &&
         cmake --build "$build/cmake" --parallel "$(nproc)" &&
         cmake --install "$build/cmake"; } >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
  fi
  grep -A6 "warning:" "$log" >&2 || true
  # Registers in memory cost a kernel its speed.
  grep -E "[1-9][0-9]* bytes spill" "$log" >&2 || true
  # The stamp has the time at which the build started, so that a source edited meanwhile is newer.
  touch -d "@$((started / 1000000000))" "$stamp"
fi
if [[ -n "${2:-}" ]]; then
  (cd "$build/cmake" && ctest --output-on-failure)
fi
