#!/usr/bin/env python3
"""Times log-prob passes and updates in PyTorch beside those of `hir bench`, which it starts.

  training.py [--shapes tiny-12m,half-0.25b,qwen3-0.6b] [--batch 64] ... -- HIR_COMMAND ...
  training.py --dry-run               PyTorch's side alone, tiny, on the CPU: its times say nothing

The model, its loss and its optimizer are PyTorch's fastest without a compiler: SDPA, fused AdamW, the head on response
tokens alone. MFU is the arithmetic of the update as a share of what a large bfloat16 product reaches in this process.
"""
import argparse
import json
import subprocess
import sys

import torch

from host import Ceilings, seconds, table
from qwen3 import SHAPES, Model


class Peer:
    def __init__(self, shape, dtype, device, o):
        self.o, self.model = o, Model(SHAPES[shape], dtype, device, trainable=True)
        self.adam = torch.optim.AdamW(self.model.parameters(), lr=1e-6, fused=device == "cuda")
        vocab = SHAPES[shape].vocab
        prompts = torch.randint(3, vocab, (o.batch // o.group, o.prompt_len), device=device)
        responses = torch.randint(3, vocab, (o.batch, o.new_tokens), device=device)
        self.ids = torch.cat([prompts.repeat_interleave(o.group, 0), responses], 1)
        self.tables = self.model.rotary(o.prompt_len + o.new_tokens)
        self.old = self.logprob()

    def _logprobs(self, ids, entropy):
        """Of the response tokens, and their entropies where asked for."""
        hidden = self.model.hidden(ids, self.tables)[:, self.o.prompt_len - 1:-1]
        logs = torch.log_softmax(self.model.logits(hidden).float(), -1)
        if entropy:
            -(logs.exp() * logs).sum(-1)
        return logs.gather(-1, ids[:, self.o.prompt_len:, None])[..., 0]

    def logprob(self):
        with torch.no_grad():
            return torch.cat([self._logprobs(part, True) for part in self.ids.split(self.o.micro)])

    def update(self):
        advantages = torch.randn(len(self.ids), 1, device=self.ids.device)
        for part, old, a in zip(*(x.split(self.o.micro) for x in (self.ids, self.old, advantages))):
            ratio = (self._logprobs(part, False) - old).exp()
            loss = torch.maximum(-a * ratio, -a * ratio.clamp(0.8, 1.2)).sum() / self.old.numel()
            loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)


def engine(command, part, shape, o):
    """`hir bench`'s line for the same work."""
    arguments = [part, "--shape", shape, "--device", "cuda", "--dtype", "bfloat16"]
    for key in ("batch", "micro", "group", "prompt_len", "new_tokens", "repeats"):
        arguments += ["--" + key.replace("_", "-"), str(getattr(o, key))]
    done = subprocess.run(command + ["bench"] + arguments, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"training.py: {' '.join(command)} bench {part} ended with code {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", default="tiny-12m,half-0.25b,qwen3-0.6b")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--micro", type=int, default=16)
    parser.add_argument("--group", type=int, default=8)
    parser.add_argument("--prompt-len", type=int, default=256)
    parser.add_argument("--new-tokens", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("hir", nargs="*", help="the command that starts the engine")
    o = parser.parse_args()
    if o.dry_run:
        o.shapes, o.batch, o.micro, o.group, o.prompt_len, o.new_tokens, o.repeats = "dry", 4, 2, 2, 5, 7, 1
    elif not torch.cuda.is_available():
        sys.exit("training.py: no CUDA device here; --dry-run runs PyTorch's side on the CPU")
    elif not o.hir:
        sys.exit("training.py: give the engine's command behind --")
    device = "cpu" if o.dry_run else "cuda"
    torch.manual_seed(1)
    ceilings = Ceilings(device, o.dry_run)
    print(f"\n{ceilings}; bfloat16, {o.batch} responses, prompts of {o.prompt_len}, responses of {o.new_tokens} tokens\n")
    tokens, rows = o.batch * (o.prompt_len + o.new_tokens), []
    for shape in o.shapes.split(","):
        peer = Peer(shape, torch.bfloat16, device, o)
        times = {part: seconds(getattr(peer, part), o.repeats, 1) for part in ("logprob", "update")}
        del peer
        if device == "cuda":
            torch.cuda.empty_cache()  # for the engine, which is another process
        flops = SHAPES[shape].training_flops(tokens, o.batch * o.new_tokens, o.prompt_len + o.new_tokens)
        for part in ("rollout", "logprob", "update", "step"):
            ours = None if o.dry_run else engine(o.hir, part, shape, o)
            theirs = tokens / times[part] if part in times else None
            mfu = ours and part == "update" and f"{flops / ours['seconds_median'] / ceilings.flops:.0%}"
            rows.append((part, shape, ours and f"{ours['tokens_per_s']:.0f}", theirs and f"{theirs:.0f}",
                         ours and theirs and f"{ours['tokens_per_s'] / theirs:.2f}", mfu or None))
    print(table(("part", "shape", "tokens/s", "PyTorch tokens/s", "ratio", "MFU"), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
