"""Writes blocks.json: blocks of each format and what the reference code of llama.cpp's `gguf` package reads them as.

    pip install gguf==0.19.0
    python tests/golden/gguf/make_blocks.py

The bytes are random, so that every bit counts; only the half-precision scales are kept finite and small.
"""

import json
import pathlib

import gguf
import numpy as np

# Where the scales are within a block: d, and dmin of the K formats that have one.
FORMATS = {"Q4_0": [0], "Q5_0": [0], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
ELEMENTS = 512

random = np.random.default_rng(20)
blocks = {}
for name, scales in FORMATS.items():
    kind = gguf.GGMLQuantizationType[name]
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    data = random.integers(0, 256, (ELEMENTS // elements, size), dtype=np.uint8)
    for at in scales:
        data[:, at : at + 2] = random.uniform(-0.01, 0.01, (len(data), 1)).astype(np.float16).view(np.uint8)
    values = gguf.quants.dequantize(data, kind).astype("<f4")
    blocks[name] = {"bytes": data.tobytes().hex(), "floats": values.tobytes().hex()}
path = pathlib.Path(__file__).with_name("blocks.json")
path.write_text(json.dumps(blocks, indent=0) + "\n")
