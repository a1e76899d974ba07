#!/usr/bin/env bash
# Packs the engine for a GPU host that has neither JDK nor registries, only a driver and PyTorch for CUDA 13:
#   ./cppbuild.sh gpu && mvn -B -Pgpu -DskipTests package && benchmarks/gpu/stage.sh OUT_DIR
# OUT_DIR then holds parts of at most 48 MB. There, once all parts lie in one folder:
#   cat PARTS/hir-gpu.tar.xz.* | tar -xJ -C /tmp && /tmp/hir-gpu/benchmarks/gpu/run.sh
# LibTorch keeps the code of one GPU architecture (ARCH=90, Hopper): the other ones' would be most of the weight.
set -euo pipefail
out=$(mkdir -p "${1:?usage: stage.sh OUT_DIR}" && cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
arch=${ARCH:-90}
jars=java/cli/target/lib
compgen -G "$jars/pytorch-*-linux-x86_64-gpu.jar" >/dev/null \
  || { echo "stage.sh: no GPU build here: mvn -B -Pgpu -DskipTests package" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stage=$work/hir-gpu
mkdir -p "$stage"/{lib,jars,tests,benchmarks,data}

# Java: what the engine runs on, its own jars, and the tests of the tag gpu.
jlink --add-modules java.base,java.desktop,java.logging,java.management,java.naming,java.net.http,java.sql,java.xml,jdk.unsupported \
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
  [[ -e "${jar%.jar}-gpu.jar" ]] && continue # of an earlier build for the CPU
  (mkdir -p "$work/unpacked" && cd "$work/unpacked" && python3 -m zipfile -e "$OLDPWD/$jar" .)
done
find "$work/unpacked/org" -name '*.so*' -path '*linux-x86_64*' \( -path '*/cuda/*' -name 'libjnicudart.so' -o ! -path '*/cuda/*' \) \
  -exec cp -n {} "$stage/lib/" \;
ln -sf libopenblas.so.0 "$stage/lib/libopenblas_nolapack.so.0" # by this name JavaCPP asks for it
python3 benchmarks/gpu/keep_arch.py "$stage/lib/libtorch_cuda.so" "$arch"

cp -r benchmarks/gpu "$stage/benchmarks/"
cp -r data/demo "$stage/data/"
rm -f "$out"/hir-gpu.tar.xz.*
tar -C "$work" -c hir-gpu | xz -6 -T0 | split -b 48M -d - "$out/hir-gpu.tar.xz."
ls -l "$out"
