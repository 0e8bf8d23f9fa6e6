"""Llama, Mistral, Qwen2 and Qwen3 of vLLM under a sharing map.

A follower is an attention layer with vLLM's own `kv_sharing_target_layer_name`, as in Gemma 3n: it has no KV cache of its
own, so vLLM's block count grows by layers / owners. Scheduling, prefix caching and parallelism are vLLM's.
"""

import re

from torch import nn
from vllm.distributed import get_pp_group
from vllm.distributed.utils import get_pp_indices
from vllm.forward_context import get_forward_context
from vllm.logger import init_logger
from vllm.model_executor.layers.attention.attention import validate_kv_sharing_target
from vllm.model_executor.layers.linear import ColumnParallelLinear
from vllm.model_executor.models import llama, mistral, qwen2, qwen3
from vllm.model_executor.models.utils import PPMissingLayer, WeightsMapper

from .sharing_map import check_stages, read_map

logger = init_logger("vllm.strata")
SCALES = ("_k_scale", "_v_scale", "_k_scale_float", "_v_scale_float", "_k_scale_cpu", "_v_scale_cpu")


class FollowerAttention(nn.Module):
    """Stands where the stock attention stood: queries only, over its owner's keys and values."""

    def __init__(self, stock, owner, vllm_config):
        super().__init__()
        if getattr(stock, "do_llama_4_scaling", False) or getattr(stock, "dual_chunk_attention_config", None):
            raise NotImplementedError("Sharing maps do not work with dual chunk attention or Llama 4's scaling.")
        self.head_dim, self.attn, self.o_proj, self.rotary_emb = stock.head_dim, stock.attn, stock.o_proj, stock.rotary_emb
        self.q_norm = getattr(stock, "q_norm", None)
        name = self.attn.layer_name.removesuffix(".attn")
        self.q_proj = ColumnParallelLinear(stock.hidden_size, stock.total_num_heads * stock.head_dim,
                                           bias=stock.qkv_proj.bias is not None, quant_config=vllm_config.quant_config,
                                           prefix=f"{name}.q_proj")
        follow(self.attn, owner.attn, vllm_config.compilation_config.static_forward_context)

    def forward(self, positions, hidden_states):
        query, _ = self.q_proj(hidden_states)
        if self.q_norm is not None:
            by_head = query.view(*query.shape[:-1], -1, self.head_dim)
            query = self.q_norm(by_head).view(query.shape)
        query, _ = self.rotary_emb(positions, query, None)
        output, _ = self.o_proj(self.attn(query, None, None))
        return output


def follow(attn, owner, layers_by_name):
    """Makes a vLLM Attention read the cache of `owner`, an earlier one."""
    backend = attn.attn_backend.get_name()
    if not hasattr(attn.impl, "kv_sharing_target_layer_name"):
        raise NotImplementedError(f"The attention backend {backend} cannot share KV caches between layers; choose another one "
                                  "with --attention-backend.")
    if attn.sliding_window != owner.sliding_window:
        raise NotImplementedError(f"{attn.layer_name} has the sliding window {attn.sliding_window} and {owner.layer_name}, which "
                                  f"it reads, {owner.sliding_window}: vLLM shares caches only between layers of one window, so "
                                  "give a map that does not cross them, or serve it with Strata.")
    if attn.kv_cache_dtype != owner.kv_cache_dtype:
        raise NotImplementedError(f"{attn.layer_name} reads {owner.layer_name}, whose cache has another dtype "
                                  f"({owner.kv_cache_dtype}, not {attn.kv_cache_dtype}): skip both or neither in "
                                  "--kv-cache-dtype-skip-layers.")
    validate_kv_sharing_target(attn.layer_name, owner.layer_name, layers_by_name)
    attn.kv_sharing_target_layer_name = attn.impl.kv_sharing_target_layer_name = owner.layer_name


def weights_mapper(stock, sharing_map):
    """The stock model's mapper, but q, k and v are stacked for owners alone, and followers' k and v are not read."""
    followers = [str(layer) for layer, source in enumerate(sharing_map) if source != layer]
    unread = re.compile(rf"(^|\.)layers\.({'|'.join(followers)})\.self_attn\.(k_proj|v_proj|k_norm)\.")
    stacked = {name: target for name, target in stock.orig_to_new_stacked.items() if target[0] != ".qkv_proj"}
    for layer, source in enumerate(sharing_map):
        for part in "qkv" if source == layer else "":
            stacked[f"layers.{layer}.self_attn.{part}_proj"] = f"layers.{layer}.self_attn.qkv_proj", part
    return WeightsMapper(orig_to_new_renaming=stock.orig_to_new_renaming,
                         orig_to_new_regex={**stock.orig_to_new_regex, unread: None},
                         orig_to_new_substr=stock.orig_to_new_substr, orig_to_new_stacked=stacked,
                         orig_to_new_prefix=stock.orig_to_new_prefix, orig_to_new_suffix=stock.orig_to_new_suffix)


class FastPrefill:
    """The decoder's forward under --kv-sharing-fast-prefill: layers after the last owner store nothing, so that of a prompt
    they need only the tokens whose logits are wanted. vLLM then makes the attention metadata of those layers for these
    tokens alone."""

    def __init__(self, decoder, sharing_map):
        self.decoder = decoder
        self.first = max(sharing_map) + 1
        self.last_attention = decoder.layers[-1].self_attn.attn.layer_name

    def __call__(self, input_ids, positions, intermediate_tensors=None, inputs_embeds=None):
        decoder = self.decoder
        hidden = decoder.embed_input_ids(input_ids) if inputs_embeds is None else inputs_embeds
        hidden, residual = self.run(decoder.layers[:self.first], positions, hidden, None)
        metadata = get_forward_context().attn_metadata
        metadata = metadata.get(self.last_attention) if isinstance(metadata, dict) else None
        chosen = getattr(metadata, "logits_indices_padded", None)
        if chosen is None or self.first == len(decoder.layers):
            hidden, residual = self.run(decoder.layers[self.first:], positions, hidden, residual)
            return decoder.norm(hidden, residual)[0]
        every = hidden.clone()
        hidden, residual = self.run(decoder.layers[self.first:], positions[chosen], hidden[chosen], residual[chosen])
        hidden, _ = decoder.norm(hidden, residual)
        count = metadata.num_logits_indices
        every[chosen[:count]] = hidden[:count]
        return every

    @staticmethod
    def run(layers, positions, hidden, residual):
        for layer in layers:
            hidden, residual = layer(positions, hidden, residual)
        return hidden, residual


class SharingModel:
    """Goes before a stock model."""

    sharing_map = None

    def __init__(self, *, vllm_config, prefix="", **options):
        config = vllm_config.model_config.hf_config
        sharing_map = read_map(config)
        stages = get_pp_group().world_size
        if sharing_map:
            check_stages(sharing_map, [get_pp_indices(len(sharing_map), stage, stages)[0] for stage in range(stages)])
        super().__init__(vllm_config=vllm_config, prefix=prefix, **options)
        if not sharing_map or sharing_map == list(range(len(sharing_map))):
            return
        self.sharing_map = sharing_map
        decoder = self.model
        for layer, owner in self.followers():
            layer.self_attn = FollowerAttention(layer.self_attn, owner.self_attn, vllm_config)
        decoder.hf_to_vllm_mapper = weights_mapper(decoder.hf_to_vllm_mapper, sharing_map)
        if vllm_config.cache_config.kv_sharing_fast_prefill:
            if stages > 1 or not vllm_config.model_config.enforce_eager:
                raise NotImplementedError("--kv-sharing-fast-prefill works with a sharing map only together with "
                                          "--enforce-eager and without pipeline stages; leave it out or add --enforce-eager.")
            decoder.forward = FastPrefill(decoder, sharing_map)
        owners = len(set(sharing_map))
        logger.info("Strata: %d of %d layers keep keys and values, sharing map %s", owners, len(sharing_map), sharing_map)

    def followers(self):
        """(follower, owner) as decoder layers, of this pipeline stage."""
        layers = self.model.layers
        for layer, source in enumerate(self.sharing_map or ()):
            if source != layer and not isinstance(layers[layer], PPMissingLayer):
                yield layers[layer], layers[source]

    def process_weights_after_loading(self):
        """What a quantised cache holds was scaled by its owner."""
        for layer, owner in self.followers():
            for scale in SCALES:
                if hasattr(owner.self_attn.attn, scale):
                    setattr(layer.self_attn.attn, scale, getattr(owner.self_attn.attn, scale))


class LlamaForCausalLM(SharingModel, llama.LlamaForCausalLM):
    pass


class MistralForCausalLM(SharingModel, mistral.MistralForCausalLM):
    pass


class Qwen2ForCausalLM(SharingModel, qwen2.Qwen2ForCausalLM):
    pass


class Qwen3ForCausalLM(SharingModel, qwen3.Qwen3ForCausalLM):
    pass
