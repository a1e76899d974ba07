#!/usr/bin/env bash
# Call 6 of 7: the engine's speed at real lengths, its own passes against LibTorch's operators, and a run of the demo. Carries
# .gpu/05, if a model was staged.
cd "$(dirname "$0")/../.."
. benchmarks/gpu/common.sh
packed=$home/hir-gpu
[[ -d .gpu/05 ]] && keep 05
LINES_SHOWN=2
sizes=(--device cuda --dtype bfloat16 --lengths mixed --repeats 3)
step=(--device cuda --dtype bfloat16 --prompt-len 256 --new-tokens 128 --repeats 3)
shapes=(half-0.25b qwen3-0.6b)
demo=(device=cuda train.steps=20)
if [[ -n ${HIR_EMULATED:-} ]]; then
  sizes=(--batch 8 --micro 4 --group 4 --prompt-len 16 --new-tokens 16 --lengths mixed --repeats 1)
  step=(--batch 8 --micro 4 --group 4 --prompt-len 16 --new-tokens 8 --repeats 1)
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
# As TRL's step of call 3.
part 40 bench-step "$packed/hir" bench step --shape "${shapes[0]}" "${step[@]}"
part 90 demo "$packed/hir" train "$packed/data/demo/hir.yaml" "${demo[@]}" out="$home/demo" --overwrite
finish
