#!/usr/bin/env bash
# Call 7 of 7: a real model trained by every method (../sample-efficiency/real.py). Carries .gpu/06; its arguments are those of
# `real.py run`; SEARCH=1 looks for learning rates first.
cd "$(dirname "$0")/../.."
. benchmarks/gpu/common.sh
keep 06
packed=$home/hir-gpu
LINES_SHOWN=40
cat "$home"/parts/model.gguf.* >"$home/model.gguf"
grid=(--out "$home/grid" --model "$home/model.gguf" --device cuda --hir "$packed/hir" --set train.micro_tokens=16384 --set checkpoint.every=1000 "$@")
if [[ -n ${HIR_EMULATED:-} ]]; then
  grid+=(--device cpu --methods hir-achieve,grpo --seeds 1 --rollouts 12 --max-tokens 4 --set limits.response=8 --jobs 2)
fi
real=benchmarks/sample-efficiency/real.py
[[ -n ${SEARCH:-} ]] && part "${SEARCH_SECONDS:-150}" search python3 -u -B $real search "${grid[@]}"
part "${GRID_SECONDS:-400}" run python3 -u -B $real run "${grid[@]}"
part 20 report python3 -B $real report "${grid[@]}"
# Runs that ran out of time may still be saving.
XZ_OPT=-T0 tar -C "$home" --exclude=checkpoints -cJf "$OUT/grid.tar.xz" grid
finish
