#!/usr/bin/env python3
"""Decoding speed over context and sharing map, as decode_bench measures it: a table, and a picture.

    tests/bench/context_plot.py MODEL [--contexts 512,2048,4096,8192,16384] [--rounds 3] --out tests/bench/context.svg
"""

import argparse
import json
import subprocess
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "build/release/bin/decode_bench"
WAYS = (("full", "#1f3a5f"), ("50 %", "#3f7fb5"), ("25 %", "#8fc1e3"))
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 64, 150, 24, 52


def measure(model, context, rounds):
    command = [BENCH, model, "--context", str(context), "--rounds", str(rounds), "--tokens", "16"]
    for name, _ in WAYS:
        command += ["--only", name]
    answer = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    return json.loads(answer.stdout.strip().splitlines()[-1])


def picture(rows, title):
    """Contexts evenly spaced (each is about twice the one before), tokens a second from 0."""
    highest = max(row[name] for row in rows for name, _ in WAYS)
    step = next(s for s in (10, 20, 25, 50, 100, 200, 500, 1000) if highest / s <= 6)
    top = (int(highest / step) + 1) * step

    def x(i):
        return LEFT + (WIDTH - LEFT - RIGHT) * i / max(1, len(rows) - 1)

    def y(value):
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13" fill="#222">',
           f"<title>{title}</title>", f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>']
    for value in range(0, top + 1, step):
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value}</text>')
    for i, row in enumerate(rows):
        out.append(f'<text x="{x(i):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{row["context"]:,}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">tokens of context</text>')
    out.append(f'<text x="{LEFT - 50}" y="14">tokens a second</text>')
    labels = sorted((y(rows[-1][name]), name, colour) for name, colour in WAYS)
    last = 0
    for at, name, colour in labels:
        points = " ".join(f"{x(i):.1f},{y(row[name]):.1f}" for i, row in enumerate(rows))
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        out += [f'<circle cx="{x(i):.1f}" cy="{y(row[name]):.1f}" r="3.5" fill="{colour}"/>' for i, row in enumerate(rows)]
        last = max(at, last + 16)
        label = "full cache" if name == "full" else f"{name} of the cache"
        out.append(f'<text x="{WIDTH - RIGHT + 12}" y="{last + 4:.1f}" fill="{colour}">{label}</text>')
    return "\n".join([*out, "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--contexts", default="512,2048,4096,8192,16384")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rows = []
    for context in args.contexts.split(","):
        rows.append(measure(args.model, int(context), args.rounds))
        print(f"{context:>6}: " + ", ".join(f"{name} {rows[-1][name]:.1f} ({rows[-1][name] / rows[-1]['full']:.2f})" for name, _ in WAYS), flush=True)
    args.out.write_text(picture(rows, f"Decoding of {Path(args.model).name}"))


if __name__ == "__main__":
    main()
