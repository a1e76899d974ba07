#!/usr/bin/env bash
# Packs the engine for a GPU host that has neither JDK nor registries, only a driver and PyTorch for CUDA 13:
#   mvn -B -Pgpu -DskipTests package && benchmarks/gpu/stage.sh .gpu [MODEL.gguf]
# The folder then holds 00/ to 04/ with a part each, which call-1.sh to call-5.sh carry to the host; call 5 unpacks them.
# The halves of a model go to 05/ and 06/, for call-6.sh and call-7.sh.
# LibTorch keeps the code of one GPU architecture (ARCH=90, Hopper): the others would be most of the size.
#   stage.sh --cpu .gpu   packs a CPU build for rehearse.sh. LEVEL=0 to 9 is the level of xz (6).
set -euo pipefail
gpu=-gpu
if [[ ${1:-} == --cpu ]]; then
  gpu=
  shift
fi
out=$(mkdir -p "${1:?usage: stage.sh [--cpu] OUT_DIR [MODEL.gguf]}" && cd "$1" && pwd)
[[ -z ${2:-} || -r $2 ]] || { echo "stage.sh: no such model: $2" >&2; exit 1; }
set -- "$1" "${2:+$(readlink -f "$2")}"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
jars=java/cli/target/lib
compgen -G "$jars/pytorch-*-linux-x86_64$gpu.jar" >/dev/null \
  || { echo "stage.sh: no such build here: mvn -B ${gpu:+-Pgpu }-DskipTests package" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stage=$work/hir-gpu
mkdir -p "$stage"/{lib,jars,tests,data}

# Java: what the engine runs on, its own jars, and the tests of the tag gpu.
jlink --add-modules java.base,java.desktop,java.logging,java.management,java.naming,java.net.http,java.sql,java.xml,jdk.management,jdk.unsupported \
  --no-header-files --no-man-pages --output "$stage/jre"
find "$stage/jre/lib" -name '*.so' -exec strip --strip-debug {} +
cp java/cli/target/hir-cli.jar "$stage/jars/"
find "$jars" -name '*.jar' ! -name '*-linux-x86_64*.jar' -exec cp {} "$stage/jars/" \;
for module in verify kernels engine; do
  [[ -d java/$module/target/test-classes ]] && cp -r "java/$module/target/test-classes" "$stage/tests/$module"
done
mvn -B -q dependency:copy -Dartifact=org.junit.platform:junit-platform-console-standalone:1.14.1 \
  -DoutputDirectory="$stage/tests" -Dmdep.useBaseVersion=true

# Native libraries, in one folder that JavaCPP looks into first.
for jar in "$jars"/*-linux-x86_64*.jar; do
  [[ -n $gpu && -e "${jar%.jar}-gpu.jar" ]] && continue # of an earlier build for the CPU
  [[ -z $gpu && $jar == *-gpu.jar ]] && continue
  (mkdir -p "$work/unpacked" && cd "$work/unpacked" && python3 -m zipfile -e "$OLDPWD/$jar" .)
done
find "$work/unpacked/org" -name '*.so*' -path '*linux-x86_64*' \( -path '*/cuda/*' -name 'libjnicudart.so' -o ! -path '*/cuda/*' \) \
  -exec cp -n {} "$stage/lib/" \;
ln -sf libopenblas.so.0 "$stage/lib/libopenblas_nolapack.so.0" # by this name JavaCPP asks for it
if [[ -n $gpu ]]; then python3 benchmarks/gpu/keep_arch.py "$stage/lib/libtorch_cuda.so" "${ARCH:-90}"; fi

cp benchmarks/gpu/packed/* "$stage/"
cp -r data/demo "$stage/data/"
rm -rf "$out"/0[0-6]
tar -C "$work" -c hir-gpu | xz "-${LEVEL:-6}" -T0 >"$work/all.xz"
# The first part is smaller: call 1 carries the library, too.
head -c 36000000 "$work/all.xz" >"$work/hir-gpu.tar.xz.00"
tail -c +36000001 "$work/all.xz" >"$work/rest"
split -n 4 --numeric-suffixes=1 "$work/rest" "$work/hir-gpu.tar.xz."
for i in 00 01 02 03 04; do
  mkdir "$out/$i"
  mv "$work/hir-gpu.tar.xz.$i" "$out/$i/"
done
if [[ -n ${2:-} ]]; then
  split -n 2 -d "$2" "$work/model.gguf."
  for i in 0 1; do
    mkdir "$out/0$((5 + i))"
    mv "$work/model.gguf.0$i" "$out/0$((5 + i))/"
  done
fi
ls -l "$out"/*/*
