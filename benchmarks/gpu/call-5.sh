#!/usr/bin/env bash
# Call 5 of 6: the engine's speed at real lengths, its own passes against LibTorch's operators, and a run of the demo. Carries
# .gpu/04, if a model was staged.
cd "$(dirname "$0")/../.."
. benchmarks/gpu/common.sh
packed=$home/hir-gpu
[[ -d .gpu/04 ]] && keep 04
LINES_SHOWN=2
sizes=(--device cuda --dtype bfloat16 --lengths mixed --repeats 3)
shapes=(half-0.25b qwen3-0.6b)
demo=(device=cuda train.steps=20)
if [[ -n ${HIR_EMULATED:-} ]]; then
  sizes=(--batch 8 --micro 4 --group 4 --prompt-len 16 --new-tokens 16 --lengths mixed --repeats 1)
  shapes=(demo-2m)
  demo=(train.steps=1)
fi
for shape in "${shapes[@]}"; do
  for what in rollout update; do
    part 40 "bench-$what-$shape" "$packed/hir" bench $what --shape "$shape" "${sizes[@]}"
  done
done
part 60 "bench-update-libtorch-${shapes[0]}" env HIR_JAVA_OPTS=-Dorg.hirengine.kernels=libtorch \
  "$packed/hir" bench update --shape "${shapes[0]}" "${sizes[@]}"
part 90 demo "$packed/hir" train "$packed/data/demo/hir.yaml" "${demo[@]}" out="$home/demo" --overwrite
finish
