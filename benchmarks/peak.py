#!/usr/bin/env python3
"""Peak memory of one RL step in PyTorch: what benchmarks/RESULTS.md sets beside `hir bench step`.

  benchmarks/peak.py mixed | bfloat16 | lora [--phases update,rollout] [--layers 28] [--rows 8] [--prompt-len 512]
      [--new-tokens 512] [--threads 2] [--spare 1.5]

Qwen3-0.6B's shape with random weights, by transformers, as memory-minded trainers run it: layers recomputed (gradient
checkpointing), micro-batches of one row, logits for the response alone, gradients freed after the step.

  mixed     float32 weights, gradients and moments, passes in bfloat16 by autocast
  bfloat16  everything in bfloat16, moments too: a step loses what is smaller than half a weight's last digit
  lora      frozen bfloat16 weights, an adapter of rank 8 on all projections (PEFT) in float32

A short row makes moments and gradients first, so that `update`, one row of the step, has them as every row but the first
of the first step has. `rollout` samples all rows, without gradients. One JSON line a phase, in GiB: what was
there at the start, and the highest resident memory (VmHWM, begun anew for each phase). The process ends with status 3
before the machine has less than --spare GiB left. Needs torch, transformers and peft.
"""
import argparse
import json
import os
import threading
import time

import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
VOCABULARY = 151936


def kilobytes(file, field):
    with open(file) as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def watch(spare):
    while True:
        if kilobytes("/proc/meminfo", "MemAvailable") < spare * 2**20:
            most = round(kilobytes("/proc/self/status", "VmHWM") / 2**20, 2)
            print(json.dumps({"stopped": f"less than {spare} GiB left on the machine", "peak so far": most}), flush=True)
            os._exit(3)
        time.sleep(0.05)


def model_of(options):
    kind = torch.float32 if options.what == "mixed" else torch.bfloat16
    torch.manual_seed(0)
    torch.set_default_dtype(kind)
    model = Qwen3ForCausalLM(
        Qwen3Config(hidden_size=1024, num_hidden_layers=options.layers, num_attention_heads=16, num_key_value_heads=8,
                    head_dim=128, intermediate_size=3072, vocab_size=VOCABULARY, tie_word_embeddings=True,
                    max_position_embeddings=8192, bos_token_id=0, eos_token_id=1, pad_token_id=2))
    torch.set_default_dtype(torch.float32)
    if options.what == "lora":
        from peft import LoraConfig, get_peft_model

        model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=PROJECTIONS))
        model.enable_input_require_grads()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["mixed", "bfloat16", "lora"])
    parser.add_argument("--layers", type=int, default=28)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--prompt-len", type=int, default=512)
    parser.add_argument("--new-tokens", type=int, default=512)
    parser.add_argument("--phases", default="update,rollout")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--spare", type=float, default=1.5)
    options = parser.parse_args()
    threading.Thread(target=watch, args=[options.spare], daemon=True).start()
    torch.set_num_threads(options.threads)
    model = model_of(options)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-6, fused=True)
    peaks = {"what": options.what, "trained": sum(p.numel() for p in trained),
             "start": round(kilobytes("/proc/self/status", "VmRSS") / 2**20, 2)}

    def passes():
        # The adapter is float32 on a bfloat16 model: PEFT needs autocast for it, too.
        return torch.autocast("cpu", torch.bfloat16, enabled=options.what != "bfloat16")

    def backward(asked, answer):
        ids = torch.cat([asked, answer], 1)
        model.train()
        with passes():
            logits = model(input_ids=ids, use_cache=False, logits_to_keep=answer.shape[1] + 1).logits[:, :-1]
        new = -torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), answer.flatten(), reduction="none")
        del logits
        ratio = (new - new.detach()).exp()
        torch.maximum(-ratio, -ratio.clamp(0.8, 1.2)).mean().backward()

    def step():
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()

    def update():
        backward(prompt[:1], answer)
        step()
        optimizer.zero_grad(set_to_none=True)

    def rollout():
        model.eval()
        with torch.inference_mode(), passes():
            model.generate(input_ids=prompt, attention_mask=torch.ones_like(prompt), do_sample=True, top_k=0,
                           min_new_tokens=options.new_tokens, max_new_tokens=options.new_tokens, use_cache=True)

    def tokens(count):
        return torch.randint(3, VOCABULARY, (1, count))

    prompt, answer = tokens(options.prompt_len).repeat(options.rows, 1), tokens(options.new_tokens)
    backward(tokens(8), tokens(8))
    step()
    phases = {"update": update, "rollout": rollout}
    for name in options.phases.split(","):
        with open("/proc/self/clear_refs", "w") as reset:
            reset.write("5")
        begun = time.monotonic()
        phases[name]()
        peaks[name] = round(kilobytes("/proc/self/status", "VmHWM") / 2**20, 2)
        peaks[name + " seconds"] = round(time.monotonic() - begun)
        print(json.dumps(peaks), flush=True)


if __name__ == "__main__":
    main()
