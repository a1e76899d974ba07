#!/usr/bin/env bash
# Call 3 of 7: a whole step of TRL. Carries .gpu/02, and .whl with wheels of trl and of what it needs.
cd "$(dirname "$0")/../.."
. benchmarks/gpu/common.sh
keep 02
LINES_SHOWN=2
if compgen -G '.whl/*.whl' >/dev/null; then
  part 40 install python3 -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --target "$home/site" .whl/*.whl
  export PYTHONPATH=$home/site
  size=(--shape half-0.25b --new-tokens 64 --steps 3)
  if [[ -n ${HIR_EMULATED:-} ]]; then size=(--shape dry --batch 8 --prompt-len 16 --new-tokens 8 --steps 2); fi
  part 60 trl python3 -B $here/trl_step.py "${size[@]}"
fi
finish
