#!/usr/bin/env bash
# The seven calls in order, with the emulator instead of the device, in a folder and with a PATH that have only what the
# borrowed host has: no JDK, no Maven, no compiler, no network client.
#   ./cppbuild.sh cpu && mvn -B -DskipTests package && benchmarks/gpu/rehearse.sh [PARTS]
# PYTHON is a python3 with torch (default: the one found); MODEL a small .gguf file for call 7, which is left out otherwise.
# PARTS is a folder that stage.sh --cpu has filled; made if missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python=$(command -v "${PYTHON:-python3}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
parts=${1:-}
if [[ -z $parts ]]; then
  parts=$work/parts
  LEVEL=0 benchmarks/gpu/stage.sh --cpu "$parts" ${MODEL:+"$MODEL"}
fi
mkdir -p "$work"/{bin,checkout/benchmarks,checkout/.gpu,checkout/native/build/linux-x86_64,home}
for tool in bash cat cp cut dirname env grep gzip ldd mkdir mktemp mv nproc readlink rm sed tail tar timeout uname xz; do
  ln -s "$(command -v $tool)" "$work/bin/$tool"
done
printf '#!%s/bin/bash\nexec %s "$@"\n' "$work" "$python" >"$work/bin/python3"
printf '#!%s/bin/bash\necho "GPU 0: emulated"\n' "$work" >"$work/bin/nvidia-smi"
chmod +x "$work"/bin/{python3,nvidia-smi}
cp -r benchmarks/gpu benchmarks/sample-efficiency "$work/checkout/benchmarks/"
cp -r data "$work/checkout/"
# As in a real call: its own files are there, those of earlier calls are gone.
for i in 1 2 3 4 5 6 7; do
  rm -rf "$work"/checkout/.gpu/* "$work/checkout/native"
  part=$parts/0$((i - 1))
  if [[ -d $part ]]; then cp -r "$part" "$work/checkout/.gpu/"; elif [[ $i -eq 7 ]]; then break; fi
  if [[ $i -eq 1 ]]; then
    mkdir -p "$work/checkout/native/build/linux-x86_64"
    cp -r native/build/linux-x86_64/lib "$work/checkout/native/build/linux-x86_64/"
  fi
  echo "---- call $i"
  env -i PATH="$work/bin" HOME="$work/home" TMPDIR="$work" LC_ALL=C.UTF-8 HIR_EMULATED=1 HIR_GPU_HOME="$work/kept" \
    OUT="$work/out-$i" "$work/bin/bash" "$work/checkout/benchmarks/gpu/call-$i.sh" | tee "$work/screen-$i"
  lines=$(wc -l <"$work/screen-$i") files=$(find "$work/out-$i" -type f | wc -l)
  [[ $lines -le 60 ]] || { echo "rehearse.sh: call $i printed $lines lines, more than 60" >&2; exit 1; }
  [[ $files -le 8 ]] || { echo "rehearse.sh: call $i left $files files, more than 8" >&2; exit 1; }
done
echo "all calls done"
