#!/usr/bin/env python3
"""Packed passes, forward and backward: gradients against PyTorch's (--check), an update's time and MFU (--time).

  passes.py LIBHIR_KERNELS.SO --check
  passes.py LIBHIR_KERNELS.SO --time [--shapes half-0.25b,qwen3-0.6b] [--tokens 16384]
  --emulated      a tiny shape on the CPU's emulator: its times say nothing
  --out DIR       writes passes.json there

A batch is as training packs one: prompts that a group of responses shares, responses of very different lengths, and another
batch at each repeat. The largest one runs before the clock starts, so that no memory grows while it runs; a batch's lists are
arrays by then, as the engine's are. MFU is its arithmetic (each prompt once) as a share of what a large bfloat16 product
reaches in the same process; GiB is what the device's memory has grown by, with weights and gradients. PyTorch's side packs
nothing: rows are padded to the longest of eight, each with its prompt.
"""
import sys

import torch

from engine import KEEP_EVERYTHING, KEEP_INPUTS, NativeModel, longs
from host import Ceilings, Checks, options, seconds
from qwen3 import SHAPES, Model

GROUP = 8


class Batch:
    """Groups of responses with shared prompts."""

    def __init__(self, random, vocab, tokens, prompt, response):
        def length(mean):
            return int(torch.randint(mean // 8 + 1, 2 * mean, (), generator=random))

        self.lengths, self.prefixes, total = [], [], 0
        while total < tokens:
            root = len(self.lengths)
            for i in range(GROUP + 1):
                self.lengths.append(length(response if i else prompt))
                self.prefixes.append(root if i else -1)
            total = sum(self.lengths)
        self.ids = torch.randint(vocab, (total,), generator=random)
        self.starts = [0] + torch.tensor(self.lengths).cumsum(0).tolist()
        self.arrays = longs(self.ids.tolist()), longs(self.lengths), longs(self.prefixes)
        self.chosen = self.targets = None

    def choose(self, device):
        """Puts the rows that predict responses' tokens, and these tokens, on the device."""
        own = [r for i in self.responses() for r in self.rows_of(i)]
        self.chosen, self.targets = torch.tensor(own, device=device) - 1, self.ids[own].to(device)
        return self

    def rows_of(self, segment):
        return list(range(self.starts[segment], self.starts[segment + 1]))

    def sequence(self, segment):
        """Packed rows of a response and of what it continues."""
        return self.rows_of(self.prefixes[segment]) + self.rows_of(segment)

    def responses(self):
        return [i for i, prefix in enumerate(self.prefixes) if prefix >= 0]

    def context(self):
        """Mean keys that a token could see."""
        wide = sum(n * (n + 2 * (self.lengths[p] if p >= 0 else 0)) for n, p in zip(self.lengths, self.prefixes))
        return wide / sum(self.lengths)


def gradients_of(model):
    return [torch.zeros(w.shape, device=model.device) for w in model.parameters()]


def addresses(model, gradients):
    layers = [gradients[2 + 8 * i:10 + 8 * i] for i in range(model.shape.layers)]
    return NativeModel.addresses(gradients[0], gradients[1], layers)


def check(lib, dtype, checks, tokens):
    """The hidden states' gradient pulled back through the model by both, and the same again with recomputation."""
    model = Model(SHAPES["dry"], dtype, lib.device)
    batch = Batch(torch.Generator().manual_seed(5), model.shape.vocab, tokens, 20, 30)
    exact = Model(SHAPES["dry"], torch.float64, lib.device)
    for mine, theirs in zip(exact.parameters(), model.parameters()):
        mine.copy_(theirs).requires_grad_(True)
    room = max(len(batch.sequence(i)) for i in batch.responses())
    native = NativeModel(lib, model, room)
    flow = torch.randn(len(batch.ids), model.shape.hidden, device=lib.device)
    wanted = torch.zeros(flow.shape, dtype=torch.float64, device=lib.device)
    for i, prefix in enumerate(batch.prefixes):
        rows = batch.sequence(i) if prefix >= 0 else batch.rows_of(i)
        own = rows[-batch.lengths[i]:]
        hidden = exact.hidden(batch.ids[rows][None].to(lib.device), native.tables)[0, -len(own):]
        (hidden * flow[own]).sum().backward()
        wanted[own] = hidden.detach()
    low = dtype == torch.bfloat16
    first = None
    for keep in (KEEP_EVERYTHING, KEEP_INPUTS):
        found = gradients_of(model)
        hidden, number = native.forward(batch.ids.tolist(), batch.lengths, batch.prefixes, keep)
        native.backward(number, flow, addresses(model, found))
        lib.synchronize()
        name = f"{str(dtype)[6:]}, {'recomputed' if keep == KEEP_INPUTS else 'kept'}"
        checks(f"hidden states, {name}", ((hidden - wanted).norm() / wanted.norm()).item(), 1e-2 if low else 1e-5)
        worst = max(((mine - theirs.grad).norm() / (theirs.grad.norm() + 1e-12)).item()
                    for mine, theirs in zip(found, exact.parameters()))
        checks(f"worst gradient, {name}", worst, 3e-2 if low else 1e-4)
        first = first or found
    same = sum((a != b).sum().item() for a, b in zip(first, found))
    checks(f"the same bits when recomputed, {str(dtype)[6:]}", same, 0)
    again = gradients_of(model)
    _, number = native.forward(batch.ids.tolist(), batch.lengths, batch.prefixes, KEEP_EVERYTHING)
    native.backward(number, flow, addresses(model, again))
    lib.synchronize()
    checks(f"the same bits in another run, {str(dtype)[6:]}", sum((a != b).sum().item() for a, b in zip(first, again)), 0)
    native.close()


class Update:
    """Forward, the loss of the responses by chunks of the head, backward."""

    def __init__(self, lib, model, batches, room):
        # Taken from the end: the largest first.
        largest = max(range(len(batches)), key=lambda i: len(batches[i].ids))
        self.batches = [b.choose(model.device) for b in batches[:largest] + batches[largest + 1:] + [batches[largest]]]
        self.lib, self.native = lib, NativeModel(lib, model, room)
        self.gradients = gradients_of(model)
        self.chunk = max(1, (1 << 30) // (4 * model.shape.vocab))
        self.logits = torch.empty(self.chunk, model.shape.vocab, device=model.device)

    def __call__(self):
        batch, model, device = self.batches.pop(), self.native.model, self.native.model.device
        hidden, number = self.native.forward(*batch.arrays, KEEP_EVERYTHING)
        rows, targets = batch.chosen, batch.targets
        chosen = hidden.index_select(0, rows)
        flow = torch.zeros(hidden.shape, device=device)
        weights = torch.full((len(rows),), 1.0 / len(rows), device=device)
        old, advantages = torch.full((len(rows),), -10.0, device=device), torch.randn(len(rows), device=device)
        for at in range(0, len(rows), self.chunk):
            part = slice(at, min(at + self.chunk, len(rows)))
            logits, back = self.logits[:part.stop - at], torch.empty(part.stop - at, hidden.shape[1], device=device)
            self.native.logits(chosen[part], logits)
            self.lib.policy_loss(logits, targets[part], old[part], advantages[part], weights[part])
            self.native.logits_backward(logits, chosen[part], back, self.gradients[0])
            flow.index_add_(0, rows[part], back)
        self.native.backward(number, flow, addresses(model, self.gradients))
        self.lib.synchronize()


def torch_update(model, batch):
    """Rows padded to the longest of eight, by PyTorch's operators."""
    order = sorted(batch.responses(), key=lambda i: len(batch.sequence(i)))
    for at in range(0, len(order), GROUP):
        part = order[at:at + GROUP]
        rows = [batch.sequence(i) for i in part]
        ids = torch.zeros(len(part), max(map(len, rows)), dtype=torch.int64)
        for i, each in enumerate(rows):
            ids[i, :len(each)] = batch.ids[each]
        ids = ids.to(model.device)
        hidden = model.hidden(ids, model.rotary(ids.shape[1]))
        picked = torch.cat([hidden[i, len(each) - batch.lengths[s] - 1:len(each) - 1]
                            for i, (s, each) in enumerate(zip(part, rows))])
        targets = torch.cat([batch.ids[each[-batch.lengths[s]:]] for s, each in zip(part, rows)]).to(model.device)
        logs = torch.log_softmax(model.logits(picked).float(), 1).gather(1, targets[:, None])
        logs.mean().backward()


def device_bytes():
    """In use on the device; PyTorch and the library keep what they have freed."""
    if not torch.cuda.is_available():
        return 0
    torch.cuda.synchronize()
    free, total = torch.cuda.mem_get_info()
    return total - free


def measure(lib, name, o, ceilings):
    shape, repeats, warm_up = SHAPES[name], o.repeats, 2
    random = torch.Generator().manual_seed(9)
    mean = (20, 30) if o.emulated else (256, 384)
    batches = [Batch(random, shape.vocab, o.tokens, *mean) for _ in range(repeats + warm_up)]
    room = max(len(b.sequence(i)) for b in batches for i in b.responses())
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    before = device_bytes()
    update = Update(lib, Model(shape, torch.bfloat16, lib.device), batches, room)
    batches = list(update.batches)
    timed = batches[:repeats]
    flops = sum(shape.training_flops(len(b.ids), sum(b.lengths[i] for i in b.responses()), b.context()) for b in timed)
    tokens = sum(len(b.ids) for b in timed) / repeats
    took = seconds(update, repeats, warm_up)
    used = device_bytes() - before
    update.native.close()
    del update
    peer = None
    if not o.alone:
        peer_model, left = Model(shape, torch.bfloat16, lib.device, trainable=True), list(batches)
        peer = seconds(lambda: torch_update(peer_model, left.pop()), repeats, warm_up)
    return (name, f"{tokens:.0f}", f"{1e3 * took:.1f}", f"{tokens / took:.0f}", f"{flops / repeats / took / ceilings.flops:.0%}",
            f"{used / 2**30:.1f}" if used else None, peer and f"{1e3 * peer:.1f}", peer and f"{peer / took:.1f}")


def arguments(parser):
    parser.add_argument("--shapes", default="half-0.25b,qwen3-0.6b")
    parser.add_argument("--tokens", type=int, default=16384, help="packed tokens of a batch, about")
    parser.add_argument("--alone", action="store_true", help="without the peers")
    parser.add_argument("--repeats", type=int, default=4)


def main():
    o, lib, results = options(__doc__, arguments)
    if o.emulated:
        o.shapes, o.tokens, o.repeats = "dry", 100, 1
    checks = Checks(results)
    if o.check:
        for dtype in (torch.float32, torch.bfloat16):
            check(lib, dtype, checks, 100 if o.emulated else 3000)
        checks.done("passes.py")
    if o.time:
        ceilings = Ceilings(lib.device, o.emulated)
        results.table(f"{ceilings}; bfloat16, shared prompts, mixed lengths",
                      ("shape", "packed tokens", "ms", "tokens/s", "MFU", "GiB", "PyTorch ms", "times faster"),
                      [measure(lib, name, o, ceilings) for name in o.shapes.split(",")])
    return results.write("passes")


if __name__ == "__main__":
    sys.exit(main())
