"""Quantised copies of small models, as compressed-tensors, AutoGPTQ and AutoAWQ store them, and the same weights in float32."""

import json
import pathlib
import shutil

import torch
from safetensors.torch import load_file, save_file

LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def copy_with(model, out, change, quantization):
    """A copy of a model whose layers' linear weights are replaced by what change(name without .weight, weight) returns."""
    out = pathlib.Path(out)
    out.mkdir()
    for name in ("generation_config.json",):
        if (model / name).exists():
            shutil.copy(model / name, out / name)
    tensors = {}
    for name, tensor in load_file(model / "model.safetensors").items():
        stem = name.removesuffix(".weight")
        if name.endswith(".weight") and stem.endswith(LINEAR):
            tensors.update(change(stem, tensor))
        else:
            tensors[name] = tensor
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, out / "model.safetensors")
    config = json.loads((model / "config.json").read_text())
    if quantization:
        config["quantization_config"] = quantization
    (out / "config.json").write_text(json.dumps(config))
    return out


def int8_rows(weight):
    scale = weight.abs().amax(1, keepdim=True) / 127
    return (weight / scale).round().clamp(-127, 127).to(torch.int8), scale


def w8a8(model, out, cache_scales=None):
    """compressed-tensors, 8 bits a weight by row and 8 bits an activation by token. `cache_scales`: by layer (K, V) of an
    fp8 cache."""
    settings = {"num_bits": 8, "type": "int", "symmetric": True}
    quantization = {
        "quant_method": "compressed-tensors", "format": "int-quantized", "quantization_status": "compressed",
        "ignore": ["lm_head"], "config_groups": {"group_0": {
            "targets": ["Linear"], "weights": {**settings, "strategy": "channel", "dynamic": False},
            "input_activations": {**settings, "strategy": "token", "dynamic": True}}}}
    if cache_scales:
        quantization["kv_cache_scheme"] = {"num_bits": 8, "type": "float", "strategy": "tensor", "dynamic": False,
                                           "symmetric": True}

    def change(stem, weight):
        values, scale = int8_rows(weight)
        changed = {f"{stem}.weight": values, f"{stem}.weight_scale": scale}
        if cache_scales and stem.endswith("self_attn.q_proj"):
            layer = int(stem.split("layers.")[1].split(".")[0])
            for name, value in zip(("k_scale", "v_scale"), cache_scales[layer]):
                changed[stem.removesuffix("q_proj") + name] = torch.tensor([value])
        return changed

    return copy_with(model, out, change, quantization)


class Int8Linear(torch.nn.Module):
    """What w8a8 computes, in float32."""

    def __init__(self, linear):
        super().__init__()
        values, scale = int8_rows(linear.weight.detach())
        self.weight, self.bias = values.float() * scale, linear.bias

    def forward(self, x):
        scale = x.abs().amax(-1, keepdim=True).clamp(min=1e-10) / 127
        return torch.nn.functional.linear((x / scale).round().clamp(-127, 127) * scale, self.weight, self.bias)


def as_w8a8(model):
    """Replaces a transformers model's linear layers in place."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, torch.nn.Linear) and name in LINEAR:
                setattr(module, name, Int8Linear(child))
    return model


def four_bits(weight, group):
    """Symmetric numbers from 1 to 15 around 8, [outputs, groups, group], and their scales [outputs, groups, 1]."""
    grouped = weight.view(weight.shape[0], -1, group)
    scale = grouped.abs().amax(2, keepdim=True) / 7
    return (grouped / scale).round().clamp(-7, 7) + 8, scale.to(torch.bfloat16)


def unpacked_by(group):
    def change(stem, weight):
        values, scale = four_bits(weight, group)
        return {f"{stem}.weight": ((values - 8) * scale.float()).view(weight.shape)}

    return change


def packed(values):
    """Eight numbers of 4 bits along the last dimension in an int32, the first lowest."""
    values = values.to(torch.int64).unflatten(-1, (-1, 8))
    whole = (values << torch.arange(0, 32, 4)).sum(-1)
    return torch.where(whole >= 1 << 31, whole - (1 << 32), whole).to(torch.int32)


def gptq(model, out, plain, group=32):
    """AutoGPTQ, 4 bits, symmetric; `plain` becomes the same weights in float32."""

    def change(stem, weight):
        values, scale = four_bits(weight, group)
        zeros = torch.full((weight.shape[1] // group, weight.shape[0]), 7)
        return {f"{stem}.qweight": packed(values.view(weight.shape)).t(), f"{stem}.qzeros": packed(zeros),
                f"{stem}.scales": scale.squeeze(2).t(), f"{stem}.g_idx": torch.arange(weight.shape[1], dtype=torch.int32) // group}

    copy_with(model, plain, unpacked_by(group), None)
    return copy_with(model, out, change, {"quant_method": "gptq", "bits": 4, "group_size": group, "sym": True,
                                          "desc_act": False, "checkpoint_format": "gptq"})


def awq(model, out, plain, group=32):
    """AutoAWQ, 4 bits with zero points; `plain` becomes the same weights in float32."""
    order = torch.tensor([0, 2, 4, 6, 1, 3, 5, 7])

    def interleaved(values):  # [.., outputs], packed along the outputs
        return packed(values.unflatten(-1, (-1, 8))[..., order].flatten(-2))

    def change(stem, weight):
        values, scale = four_bits(weight, group)
        zeros = torch.full((weight.shape[1] // group, weight.shape[0]), 8)
        return {f"{stem}.qweight": interleaved(values.view(weight.shape).t()), f"{stem}.qzeros": interleaved(zeros),
                f"{stem}.scales": scale.squeeze(2).t()}

    copy_with(model, plain, unpacked_by(group), None)
    return copy_with(model, out, change, {"quant_method": "awq", "bits": 4, "group_size": group, "zero_point": True,
                                          "version": "gemm"})


def lora(model, out, rank=4, seed=7):
    """An adapter as PEFT stores it, for the attention's linear layers."""
    out = pathlib.Path(out)
    out.mkdir()
    generator, tensors = torch.Generator().manual_seed(seed), {}
    for name, weight in load_file(model / "model.safetensors").items():
        stem = name.removesuffix(".weight")
        if name.endswith(".weight") and stem.endswith(LINEAR[:4]):
            for part, shape in (("A", (rank, weight.shape[1])), ("B", (weight.shape[0], rank))):
                tensors[f"base_model.model.{stem}.lora_{part}.weight"] = torch.randn(shape, generator=generator) * 0.15
    save_file(tensors, out / "adapter_model.safetensors")
    (out / "adapter_config.json").write_text(json.dumps({
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": 2 * rank, "lora_dropout": 0.0, "bias": "none",
        "target_modules": list(LINEAR[:4])}))
    return out
