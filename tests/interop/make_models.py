#!/usr/bin/env python3
"""make_models.py FOLDER: writes five small models with random weights, one for each family that Strata knows and one more.

vLLM's kernels for the CPU take heads of 32 and more, and the golden models have smaller ones. Weights are drawn as for
those, so sharp that a wrong layer, head, norm or window shows in the greedy ids. The same torch makes the same bytes.
"""

import math
import pathlib
import sys

import torch
import transformers
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

transformers.utils.logging.disable_progress_bar()

SIZES = {"hidden_size": 96, "intermediate_size": 160, "max_position_embeddings": 512, "num_attention_heads": 4,
         "num_key_value_heads": 2}
LLAMA3_ROPE = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
               "original_max_position_embeddings": 64}


def rope(theta):
    return {"rope_type": "default", "rope_theta": theta}


MODELS = {
    "llama-gqa": lambda: LlamaConfig(**{**SIZES, "num_attention_heads": 8}, num_hidden_layers=6, vocab_size=384, head_dim=32,
                                     tie_word_embeddings=True, rope_parameters=LLAMA3_ROPE),
    "llama-bias": lambda: LlamaConfig(**{**SIZES, "num_key_value_heads": 4}, num_hidden_layers=5, vocab_size=300, head_dim=32,
                                      attention_bias=True, mlp_bias=True, rope_parameters=rope(10000.0)),
    "mistral-window": lambda: MistralConfig(**SIZES, num_hidden_layers=6, vocab_size=320, head_dim=32, sliding_window=16,
                                            rope_parameters=rope(10000.0)),
    "qwen2-bias": lambda: Qwen2Config(**{**SIZES, "hidden_size": 128}, num_hidden_layers=6, vocab_size=512,
                                      use_sliding_window=False, tie_word_embeddings=True, rope_parameters=rope(1000000.0)),
    "qwen3-norms": lambda: Qwen3Config(**SIZES, num_hidden_layers=8, vocab_size=320, head_dim=32,
                                       rope_parameters=rope(1000000.0)),
}


def deviation(name, parameter):
    if "embed_tokens" in name or "lm_head" in name or name.endswith(".bias"):
        return 0.3
    return 0.25 if name.endswith("norm.weight") else 1.4 / math.sqrt(parameter.shape[1])


def make(name, folder, seed):
    model = AutoModelForCausalLM.from_config(MODELS[name](), dtype=torch.float32)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            mean = 1.0 if parameter_name.endswith("norm.weight") else 0.0
            values = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(mean + deviation(parameter_name, parameter) * values)
    model.save_pretrained(folder / name)


def make_all(folder):
    for number, name in enumerate(MODELS):
        if not (folder / name / "model.safetensors").exists():
            make(name, folder, seed=4200 + number)
    return [folder / name for name in MODELS]


if __name__ == "__main__":
    for made in make_all(pathlib.Path(sys.argv[1])):
        print(made)
