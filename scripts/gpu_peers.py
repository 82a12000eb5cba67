"""What PyTorch makes of the same work on the same card: eager, torch.compile, and a Triton kernel of the plain formula.

    python3 scripts/gpu_peers.py OUT.json [--bytes N] [--bins 16,64,...] [--device cuda|cpu]

Kullback–Leibler divergence of normalised 32-bit rows that are on the card, beside a kernel that only sums both arrays.
Medians of several timings by the clock of the card; the largest relative error against 64-bit floats on the first rows.
Without PyTorch or without a card it says so and ends well. `cpu` is for trying the script itself.
"""

import argparse
import json
import statistics
import sys
import time

try:
    import torch
except ImportError:
    print("no PyTorch here: its columns are left out")
    sys.exit(0)

ROUNDS = 9
CHECKED_ROWS = 256


def eager(p, q):
    """The formula as people write it."""
    return (p * (p / q).log()).sum(dim=1)


def library(p, q):
    """The function people call."""
    return torch.nn.functional.kl_div(q.log(), p, reduction="none").sum(dim=1)


def triton_engines():
    """A program a row for long rows, a block of rows a program for short ones."""
    import triton
    import triton.language as tl

    @triton.jit
    def short(p, q, out, rows, BINS: tl.constexpr, PADDED: tl.constexpr, ROWS: tl.constexpr):
        row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
        bin = tl.arange(0, PADDED)
        here = (row[:, None] < rows) & (bin[None, :] < BINS)
        at = row[:, None] * BINS + bin[None, :]
        a = tl.load(p + at, mask=here, other=1.0)
        b = tl.load(q + at, mask=here, other=1.0)
        tl.store(out + row, tl.sum(a * tl.log(a / b), axis=1), mask=row < rows)

    @triton.jit
    def long(p, q, out, BINS: tl.constexpr, BLOCK: tl.constexpr):
        row = tl.program_id(0).to(tl.int64)
        total = tl.zeros((BLOCK,), dtype=tl.float32)
        for start in range(0, BINS, BLOCK):
            bin = start + tl.arange(0, BLOCK)
            a = tl.load(p + row * BINS + bin, mask=bin < BINS, other=1.0)
            b = tl.load(q + row * BINS + bin, mask=bin < BINS, other=1.0)
            total += a * tl.log(a / b)
        tl.store(out + row, tl.sum(total, axis=0))

    @triton.jit
    def both(p, q, out, count, BLOCK: tl.constexpr):
        at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
        a = tl.load(p + at, mask=at < count, other=0.0)
        b = tl.load(q + at, mask=at < count, other=0.0)
        tl.store(out + tl.program_id(0), tl.sum(a + b, axis=0))

    def kl(p, q):
        rows, bins = p.shape
        out = torch.empty(rows, device=p.device)
        if bins <= 1024:
            padded = triton.next_power_of_2(bins)
            per = max(1, 4096 // padded)
            short[(triton.cdiv(rows, per),)](p, q, out, rows, BINS=bins, PADDED=padded, ROWS=per)
        else:
            long[(rows,)](p, q, out, BINS=bins, BLOCK=4096)
        return out

    def read(p, q):
        block = 4096
        programs = triton.cdiv(p.numel(), block)
        out = torch.empty(programs, device=p.device)
        both[(programs,)](p, q, out, p.numel(), BLOCK=block)
        return out

    return kl, read


def seconds(work, device):
    """The median time of a call, after some that compile and warm up."""
    for _ in range(3):
        work()
    times = []
    for _ in range(ROUNDS):
        if device == "cuda":
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            work()
            end.record()
            end.synchronize()
            times.append(begin.elapsed_time(end) / 1000)
        else:
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def rows_of(rows, bins, device, seed):
    generator = torch.Generator(device=device).manual_seed(seed)
    weights = torch.rand(rows, bins, device=device, generator=generator).add_(1e-6)
    return weights.div_(weights.sum(dim=1, keepdim=True, dtype=torch.float64).float())


def largest_error(got, p, q):
    p, q = p[:CHECKED_ROWS].double(), q[:CHECKED_ROWS].double()
    p, q = p / p.sum(1, keepdim=True), q / q.sum(1, keepdim=True)
    exact = (p * (p / q).log()).sum(1)
    return float(((got[:CHECKED_ROWS].double() - exact).abs() / exact).max())


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("out")
    arguments.add_argument("--bytes", type=int, default=4 << 30, help="of both sides together")
    arguments.add_argument("--bins", default="16,64,256,1024,8192,131072")
    arguments.add_argument("--device", default="cuda")
    arguments = arguments.parse_args()
    device = arguments.device
    if device == "cuda" and not torch.cuda.is_available():
        print("PyTorch sees no card here: its columns are left out")
        return
    engines = {"PyTorch eager": eager, "PyTorch kl_div": library, "torch.compile": torch.compile(eager, dynamic=False)}
    try:
        engines["Triton, plain formula"], engines["a kernel that sums both"] = triton_engines()
    except ImportError:
        print("no Triton here: its columns are left out")
    lines = []
    for bins in map(int, arguments.bins.split(",")):
        rows = max(1, arguments.bytes // (8 * bins))
        p, q = rows_of(rows, bins, device, 1), rows_of(rows, bins, device, 2)
        for name, engine in engines.items():
            line = {"engine": name, "bins": bins, "rows": rows}
            try:
                took = seconds(lambda: engine(p, q), device)
                line |= {"seconds": took, "bytes_per_second": 8 * rows * bins / took, "rows_per_second": rows / took}
                if "sums" not in name:
                    line["largest_relative_error"] = largest_error(engine(p, q), p, q)
            except Exception as error:  # A peer that fails is told of, and the others are timed.
                line["error"] = " ".join(str(error).split())[:200]
            lines.append(line)
        # What torch.compile keeps of a shape is of no use to the next.
        torch._dynamo.reset()
        del p, q
    versions = {"torch": torch.__version__, "cuda": torch.version.cuda}
    if device == "cuda":
        versions["card"] = torch.cuda.get_device_name()
    with open(arguments.out, "w", encoding="utf-8") as file:
        json.dump({"versions": versions, "lines": lines}, file, indent=1)
    print("| kl of f32 rows, kept | bins | rows/s | GB/s | largest error |\n|---|---|---|---|---|")
    for line in lines:
        if "error" in line:
            print(f"| {line['engine']} | {line['bins']} | failed: {line['error']} | | |")
            continue
        error = line.get("largest_relative_error")
        shown = "" if error is None else f"{error:.1e}"
        gigabytes = line["bytes_per_second"] / 1e9
        print(f"| {line['engine']} | {line['bins']} | {line['rows_per_second']:.3e} | {gigabytes:.1f} | {shown} |")


main()
