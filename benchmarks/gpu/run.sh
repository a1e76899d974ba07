#!/usr/bin/env bash
# Checks, tests and times the engine on this machine's GPU, and prints the tables of RESULTS.md. One command:
#   benchmarks/gpu/run.sh                 in a checkout built by `mvn -B -Pgpu -DskipTests package` (nvcc, cmake, python3 with torch)
#   FOLDER/benchmarks/gpu/run.sh          on a host that stage.sh packed FOLDER for (python3 with torch for CUDA 13)
#   benchmarks/gpu/run.sh --dry-run       without a GPU: all scripts at tiny sizes on the CPU's emulator; times say nothing
# In this order: the kernels' checks and times, decoding, the tests of the tag gpu, a training run of the demo, and parts
# of a step beside PyTorch. A failed check or test ends it with code 1, after the rest has run.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=benchmarks/gpu
failed=()

part() { # part NAME COMMAND...
  echo
  echo "== $1"
  "${@:2}" || failed+=("$1")
}

library=native/build/linux-x86_64-gpu/lib/libhir_kernels.so
if [[ "${1:-}" == --dry-run ]]; then
  library=native/build/linux-x86_64/lib/libhir_kernels.so
  [[ -e $library ]] || ./cppbuild.sh cpu || exit 1
  part "shapes" python3 -B -m unittest discover -s "$here" -p 'test_*.py'
  part "kernels" python3 -B "$here/kernels.py" "$library" --emulated
  part "decoding" python3 -B "$here/decode.py" "$library" --emulated
  part "training" python3 -B "$here/training.py" --dry-run
elif [[ $# -gt 0 ]]; then
  echo "usage: benchmarks/gpu/run.sh [--dry-run]" >&2
  exit 2
elif ! nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv; then
  echo "run.sh: no GPU here (nvidia-smi does not find one); --dry-run runs everything small on the CPU" >&2
  exit 1
else
  if [[ -x jre/bin/java ]]; then # a packed folder
    library=lib/libhir_kernels.so
    pip=$(python3 -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
    cuda=$(find "$pip/nvidia" -maxdepth 4 -type d -name lib 2>/dev/null | paste -sd:)
    export LD_LIBRARY_PATH=$PWD/lib:$cuda:/usr/local/cuda/lib64:/usr/local/cuda/extras/CUPTI/lib64:${LD_LIBRARY_PATH:-}
    # What LibTorch's CUDA half asks for and nobody has.
    ldd lib/libtorch_cuda.so 2>/dev/null | sed -n 's/^\s*\(.*\) => not found.*/run.sh: missing on this host: \1/p' >&2
    java=(jre/bin/java -Djava.library.path="$PWD/lib" -Dorg.bytedeco.javacpp.pathsFirst=true -Dhir.root="$PWD")
    tests='jars/*:tests/kernels:tests/engine:tests/verify:tests/*'
    hir=("${java[@]}" -Xmx8g -cp 'jars/*' org.hirengine.cli.Hir)
  else
    [[ -e $library ]] || ./cppbuild.sh gpu || exit 1
    compgen -G 'java/cli/target/lib/pytorch-*-gpu.jar' >/dev/null \
      || { echo "run.sh: build the engine first: mvn -B -Pgpu -DskipTests package" >&2; exit 1; }
    java=(java -Dhir.root="$PWD")
    tests=
    hir=("${java[@]}" -Xmx8g -jar java/cli/target/hir-cli.jar)
  fi
  part "kernels" python3 -B "$here/kernels.py" "$library"
  part "decoding" python3 -B "$here/decode.py" "$library"
  part "what the engine finds" "${hir[@]}" doctor
  if [[ -n $tests ]]; then
    part "tests" "${java[@]}" -cp "$tests" org.junit.platform.console.ConsoleLauncher execute --disable-banner \
      --details=summary --include-tag gpu --select-package org.hirengine.engine.gpu
  else
    part "tests" mvn -o -B -q -Pgpu -pl java/engine -am test -Dgroups=gpu
  fi
  part "a run of the demo" "${hir[@]}" train data/demo/hir.yaml device=cuda out="$(mktemp -d)/demo" --overwrite
  part "training" python3 -B "$here/training.py" -- "${hir[@]}"
fi

echo
if [[ ${#failed[@]} -gt 0 ]]; then
  printf 'failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
echo "all done, nothing failed"
