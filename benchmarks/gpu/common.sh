# What the calls share. A call is one command on a borrowed host: it may take ten minutes and print 12,000 characters, so each
# part has a time limit, writes its log to $OUT and prints only its last lines.
#   HIR_EMULATED=1   the emulator in place of the device, tiny sizes: a rehearsal (rehearse.sh)
#   OUT              folder of logs and results (default gpu-out)
#   HIR_GPU_HOME     folder outside the checkout that outlives a call (default /tmp/hir)
set -uo pipefail
OUT=${OUT:-$PWD/gpu-out}
home=${HIR_GPU_HOME:-/tmp/hir}
mkdir -p "$OUT" "$home/parts"
here=benchmarks/gpu
flags=(--out "$OUT")
library=native/build/linux-x86_64-gpu/lib/libhir_kernels.so
if [[ -n ${HIR_EMULATED:-} ]]; then
  library=native/build/linux-x86_64/lib/libhir_kernels.so
  flags+=(--emulated)
fi
# Only the first call carries the library.
if [[ -e $library ]]; then cp -r "${library%/*}/." "$home/"; else library=$home/libhir_kernels.so; fi
failed=()
began=$SECONDS

keep() { # keep PART: of the packed engine, for the call that unpacks it
  cp .gpu/"$1"/* "$home/parts/" || failed+=("part $1")
}

part() { # part SECONDS NAME COMMAND...
  local from=$SECONDS code=0
  timeout "$1" "${@:3}" >"$OUT/$2.log" 2>&1 || code=$?
  echo "== $2: code $code, $((SECONDS - from)) s"
  tail -n "${LINES_SHOWN:-9}" "$OUT/$2.log" | cut -c1-200
  [[ $code -eq 0 ]] || failed+=("$2 (code $code)")
}

pack() { # the results so far become one file: the host returns eight
  tar -C "$OUT" -czf "$home/results.tgz" . && rm -rf "${OUT:?}"/* && mv "$home/results.tgz" "$OUT/" || failed+=("pack")
}

finish() {
  echo "== $((SECONDS - began)) s in all; ${#failed[@]} failed: ${failed[*]:-none}"
  [[ ${#failed[@]} -eq 0 ]]
}
