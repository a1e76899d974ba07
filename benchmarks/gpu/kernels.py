#!/usr/bin/env python3
"""Every CUDA kernel against float64 and the CPU's reference backend (--check), and its time against PyTorch's (--time).

  kernels.py LIBHIR_KERNELS.SO --check --time     on a GPU host; exits with 1 when a check fails
  --emulated      the same, small, on the CPU: its times say nothing
  --out DIR       writes kernels.json there

Bandwidths count the bytes that a kernel must move (logits read once, and written once by the loss), as a share of what a
copy on the device reaches in the same process. What is written over is another copy each time: a loss of its own output
would find a softmax of one value.
"""
import sys

import torch

from host import BASELINE, Ceilings, Checks, kernel_seconds, options, seconds


WARM_UP, PROFILED = 2, 3


def ppo(x, targets, old, advantages, weights):
    logprobs = torch.log_softmax(x, 1).gather(1, targets[:, None])[:, 0]
    ratio = (logprobs - old).clamp(-20, 20).exp()
    loss = torch.maximum(-advantages * ratio, -advantages * ratio.clamp(0.8, 1.2))
    loss = torch.where(advantages < 0, torch.minimum(loss, -3 * advantages), loss)
    return (loss * weights).sum()


def check(lib, device, shapes, checks):
    check_optimizer(lib, device, checks, 100_003)
    for rows, cols in shapes:
        for dtype in (torch.float32, torch.bfloat16):
            # Unaligned rows: a stride that is not a multiple of a vector.
            x = (torch.randn(rows, cols + 3, device=device) * 3).to(dtype)[:, :cols]
            targets = torch.randint(cols, (rows,), device=device)
            name = f"[{rows}, {cols}] {str(dtype)[6:]}"
            exact = torch.log_softmax(x.double() / 0.7, 1)
            got, entropy = lib.token_logprob(x, targets, 0.7)
            lib.synchronize()
            wanted = exact.gather(1, targets[:, None])[:, 0]
            checks(f"log-prob {name}", ((got - wanted).abs() / (1 + wanted.abs())).max().item(), 3e-6)
            checks(f"entropy {name}", (entropy + (exact.exp() * exact).sum(1)).abs().max().item(), 3e-5)

            advantages, weights = torch.randn(rows, device=device), torch.rand(rows, device=device)
            weights[1::3] = 0  # masked
            leaf = x.double().clone().requires_grad_(True)
            old = (torch.log_softmax(x.double(), 1).gather(1, targets[:, None])[:, 0]).float()
            old += 0.1 * torch.randn(rows, device=device)
            loss = ppo(leaf, targets, old.double(), advantages.double(), weights.double())
            loss.backward()
            gradient = x.clone()
            sums = lib.policy_loss(gradient, targets, old, advantages, weights)
            relative = ((gradient - leaf.grad).abs() / (leaf.grad.abs() + 1e-3)).max().item()
            checks(f"policy loss {name}", abs(sums[0] - loss.item()) / (1 + abs(loss.item())), 1e-5)
            checks(f"its gradient {name}", relative, 1e-2 if dtype == torch.bfloat16 else 1e-3)

            counters = torch.randint(-2**31, 2**31, (rows, 4), dtype=torch.int32, device=device)
            # Few candidates; on rows of medium length also more than are ranked in pairs.
            filters_of_row = [(1.0, 0, 1.0, 0.0), (0.8, 50, 0.9, 0.01), (0.0, 0, 1.0, 0.0)]
            if cols < 100_000:
                filters_of_row += [(1.0, 2000, 0.9, 0.0), (1.0, 0, 0.95, 0.0), (1.0, 0, 1.0, 0.05)]
            for filters in filters_of_row:
                tokens, _ = lib.sample(x, *filters, counters)
                lib.synchronize()
                cpu, _ = lib.sample(x.cpu(), *filters, counters.cpu(), backend=BASELINE)
                differ = (tokens.cpu() != cpu).float().mean().item()
                # A uniform at the edge of a token's share may fall on its other side.
                checks(f"draws as the CPU's {name} {filters}", differ, 0.0 if filters[0] == 0 else 2e-2)


def check_optimizer(lib, device, checks, count):
    for dtype in (torch.float32, torch.bfloat16):
        params = torch.randn(count, device=device)
        grads = (0.1 * torch.randn(count, device=device)).to(dtype)
        m, v, low = torch.zeros_like(params), torch.zeros_like(params), params.bfloat16()
        leaf = params.double().clone().requires_grad_(True)
        adam = torch.optim.AdamW([leaf], lr=1e-3, weight_decay=0.01)
        norm = grads.double().norm().item()
        checks(f"gradient norm {str(dtype)[6:]}", abs(lib.sum_of_squares(grads) ** 0.5 / norm - 1), 1e-9)
        for step in range(1, 4):
            leaf.grad = grads.double() / norm
            adam.step()
            lib.adamw(params, grads, m, v, low, step, scale=1 / norm)
        lib.synchronize()
        checks(f"adamw {str(dtype)[6:]}", (params - leaf).abs().max().item(), 1e-6)
        checks(f"its bfloat16 copy {str(dtype)[6:]}", (low != params.bfloat16()).sum().item(), 0)


def rows_of_kernels(lib, ceilings, rows, cols, dtype):
    """Log-prob, loss and sampling; bytes are what a kernel must move."""
    device = lib.device
    x = (torch.randn(rows, cols, device=device) * 3).to(dtype)
    repeats = 5
    fresh = [x.clone() for _ in range(repeats + WARM_UP + PROFILED)]
    targets = torch.randint(cols, (rows,), device=device)
    old, advantages = torch.full((rows,), -10.0, device=device), torch.randn(rows, device=device)
    weights = torch.full((rows,), 1.0 / rows, device=device)
    counters = torch.randint(-2**31, 2**31, (rows, 4), dtype=torch.int32, device=device)
    size = x.numel() * x.element_size()

    def torch_logprob():
        for part in x.split(512):
            logs = torch.log_softmax(part.float(), 1)
            logs.gather(1, targets[:len(part), None])
            -(logs.exp() * logs).sum(1)

    def torch_loss():
        for at in range(0, rows, 512):
            leaf = x[at:at + 512].detach().requires_grad_(True)
            cut = slice(at, at + 512)
            ppo(leaf.float(), targets[cut], old[cut], advantages[cut], weights[cut]).backward()

    def torch_sample():
        for part in x.split(512):
            torch.multinomial(torch.softmax(part.float(), 1), 1)

    shape = f"[{rows}, {cols}]"
    yield row("log-prob, entropy", shape, dtype, lambda: lib.token_logprob(x, targets, 1.0), torch_logprob, size, ceilings)
    yield row("policy loss", shape, dtype, lambda: lib.policy_loss(fresh.pop(), targets, old, advantages, weights),
              torch_loss, 2 * size, ceilings, repeats)
    yield row("sample", shape, dtype, lambda: lib.sample(x, 1.0, 0, 1.0, 0.0, counters), torch_sample, size, ceilings)
    yield row("sample, filtered", shape, dtype, lambda: lib.sample(x, 0.8, 50, 0.95, 0.0, counters), None, size, ceilings)


def rows_of_optimizer(lib, ceilings, count, dtype):
    """AdamW reads four arrays and writes three and the bfloat16 copy."""
    params = torch.randn(count, device=lib.device)
    grads = (0.1 * torch.randn(count, device=lib.device)).to(dtype)
    m, v, low = torch.zeros_like(params), torch.zeros_like(params), params.bfloat16()
    leaf = params.clone().requires_grad_(True)
    leaf.grad = grads.float()
    adam = torch.optim.AdamW([leaf], lr=1e-3, fused=lib.device == "cuda")

    def torch_step():
        adam.step()
        low.copy_(leaf.detach())

    yield row("adamw", f"[{count}]", dtype, lambda: lib.adamw(params, grads, m, v, low, 1), torch_step,
              count * (26 + grads.element_size()), ceilings)
    yield row("gradient norm", f"[{count}]", dtype, lambda: lib.sum_of_squares(grads), lambda: leaf.grad.norm().item(),
              count * grads.element_size(), ceilings)


def row(name, shape, dtype, own, other, moved, ceilings, repeats=20):
    """A call's time, that of its kernels alone (a loss also waits for its sums), and the share of a copy that these reach."""
    took = seconds(own, repeats, WARM_UP)
    kernels = kernel_seconds(own, PROFILED) or took
    peer = seconds(other, 5) if other else None
    rate = moved / kernels
    return (name, shape, str(dtype)[6:], f"{1e3 * took:.3f}", f"{1e3 * kernels:.3f}", f"{rate / 1e9:.0f}",
            f"{rate / ceilings.bandwidth:.0%}", peer and f"{1e3 * peer:.2f}", peer and f"{peer / took:.1f}")


def measure(lib, results, small):
    ceilings = Ceilings(lib.device, small)
    rows = []
    for dtype in (torch.float32, torch.bfloat16):
        for cols in (300,) if small else (32000, 151936):
            rows += rows_of_kernels(lib, ceilings, 4 if small else 4096, cols, dtype)
        rows += rows_of_optimizer(lib, ceilings, 1000 if small else 600_000_000, dtype)
    results.table(str(ceilings), ("kernel", "shape", "type", "ms", "kernels ms", "GB/s", "of a copy", "PyTorch ms", "times faster"), rows)


def main():
    o, lib, results = options(__doc__)
    if o.check:
        shapes = [(3, 17), (2, 5003)] if o.emulated else [(1, 1), (7, 33), (64, 32003), (32, 151936)]
        checks = Checks(results)
        check(lib, lib.device, shapes, checks)
        checks.done("kernels.py")
    if o.time:
        measure(lib, results, o.emulated)
    return results.write("kernels")


if __name__ == "__main__":
    sys.exit(main())
