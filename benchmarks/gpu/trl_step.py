#!/usr/bin/env python3
"""A whole GRPO step of TRL at the shapes of Qwen3, to be read beside `hir bench step`.

  trl_step.py [--shape half-0.25b] [--batch 64] [--group 8] [--prompt-len 256] [--new-tokens 128] [--steps 4]

Random weights in bfloat16; TRL generates with transformers (not vLLM, which is a server of its own). A step is generation,
log-probs of the reference, a trivial reward, and the update. Responses may end early, so the tokens are counted. Needs
trl, datasets and transformers; prints one JSON line with medians, the first step left out.
"""
import argparse
import json
import os
import statistics
import tempfile
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
from datasets import Dataset
from datasets.table import InMemoryTable
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, Qwen3Config
from trl import GRPOConfig, GRPOTrainer

from qwen3 import SHAPES


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="half-0.25b", choices=SHAPES)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--group", type=int, default=8)
    parser.add_argument("--prompt-len", type=int, default=256)
    parser.add_argument("--new-tokens", type=int, default=128)
    parser.add_argument("--steps", type=int, default=4)
    o = parser.parse_args()
    s, gpu = SHAPES[o.shape], torch.cuda.is_available()
    config = Qwen3Config(
        vocab_size=s.vocab, hidden_size=s.hidden, intermediate_size=s.intermediate, num_hidden_layers=s.layers,
        num_attention_heads=s.heads, num_key_value_heads=s.kv_heads, head_dim=s.head_dim, tie_word_embeddings=True,
        max_position_embeddings=4096, bos_token_id=0, eos_token_id=1, pad_token_id=2)
    core = Tokenizer(models.WordLevel({f"w{i}": i for i in range(s.vocab)}, unk_token="w3"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="w0", eos_token="w1", pad_token="w2", unk_token="w3")
    prompts = [" ".join(f"w{4 + (7 * r + i) % 90}" for i in range(o.prompt_len)) for r in range(256)]
    times, tokens = [], []

    class Timed(GRPOTrainer):
        def training_step(self, *args, **kwargs):
            if gpu:
                torch.cuda.synchronize()
            start = time.perf_counter()
            out = super().training_step(*args, **kwargs)
            if gpu:
                torch.cuda.synchronize()
            times.append(time.perf_counter() - start)
            return out

    def reward(completion_ids, **_):
        tokens.append(sum(map(len, completion_ids)))
        return [float(len(c) % 7) for c in completion_ids]

    with tempfile.TemporaryDirectory() as work:
        AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(work + "/model")
        model = AutoModelForCausalLM.from_pretrained(work + "/model", dtype=torch.bfloat16)
        settings = GRPOConfig(
            output_dir=work + "/out", per_device_train_batch_size=o.batch, num_generations=o.group,
            max_completion_length=o.new_tokens, steps_per_generation=1, num_iterations=1, max_steps=o.steps,
            learning_rate=1e-6, beta=0.001, report_to=[], use_cpu=not gpu, bf16=True, temperature=1.0, save_strategy="no",
            logging_steps=1000, gradient_checkpointing=False, disable_tqdm=True)
        Timed(model=model, reward_funcs=reward, args=settings, processing_class=tokenizer,
              train_dataset=Dataset(InMemoryTable.from_pydict({"prompt": prompts}), fingerprint="prompts")).train()
    seconds = statistics.median(times[1:])
    print(json.dumps({
        "impl": "trl", "part": "step", "shape": o.shape, "dtype": "bfloat16", "batch": o.batch, "group": o.group,
        "prompt_len": o.prompt_len, "new_tokens": o.new_tokens, "repeats": len(times) - 1, "seconds_median": round(seconds, 4),
        "seconds_min": round(min(times[1:]), 4), "tokens_per_s": round(statistics.median(tokens[1:]) / seconds, 1),
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2) if gpu else None}))


if __name__ == "__main__":
    main()
