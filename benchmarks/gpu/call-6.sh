#!/usr/bin/env bash
# Call 6 of 7: the engine's speed at real lengths, its own passes against LibTorch's operators, and a run of the demo. Carries
# .gpu/05, if a model was staged.
cd "$(dirname "$0")/../.."
. benchmarks/gpu/common.sh
packed=$home/hir-gpu
[[ -d .gpu/05 ]] && keep 05
LINES_SHOWN=2
sizes=(--device cuda --dtype bfloat16 --prompt-len 512 --new-tokens 512 --micro 64 --lengths mixed --repeats 3)
step=(--device cuda --dtype bfloat16 --prompt-len 256 --new-tokens 64 --micro 64 --repeats 3)
half=half-0.25b whole=qwen3-0.6b
demo=(device=cuda train.steps=20)
if [[ -n ${HIR_EMULATED:-} ]]; then
  sizes=(--batch 8 --micro 4 --group 4 --prompt-len 16 --new-tokens 16 --lengths mixed --repeats 1)
  step=(--batch 8 --micro 4 --group 4 --prompt-len 16 --new-tokens 8 --repeats 1)
  half=demo-2m whole=demo-2m
  demo=(train.steps=1)
fi
# As TRL's step of call 3.
part 40 step-$half "$packed/hir" bench step --shape $half "${step[@]}"
part 40 rollout-$whole "$packed/hir" bench rollout --shape $whole "${sizes[@]}"
part 40 update-$whole "$packed/hir" bench update --shape $whole "${sizes[@]}"
part 40 update-$half "$packed/hir" bench update --shape $half "${sizes[@]}"
part 40 update-libtorch-$half env HIR_JAVA_OPTS=-Dorg.hirengine.kernels=libtorch \
  "$packed/hir" bench update --shape $half "${sizes[@]}"
LINES_SHOWN=40
part 60 demo "$packed/hir" train "$packed/data/demo/hir.yaml" "${demo[@]}" out="$home/demo" --overwrite
finish
