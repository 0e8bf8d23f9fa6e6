"""Llama, Mistral, Qwen2 and Qwen3 of transformers under a Strata sharing map.

config.json holds the map: "strata": {"version": 1, "map": [0, 0, 2, 2]} means that layers 0 and 2 own their keys and
values, that layer 1 reads layer 0's and layer 3 layer 2's. A follower computes queries only, and its place in the KV
cache stays empty. All weights stay in the model, so that it can be saved, and read under any other map. Without a map
these are the stock classes.

The classes have the stock classes' names because save_pretrained writes them to config.json as "architectures".
This file needs transformers >= 5.0 and nothing else: it is a part of the package strata_hf and, byte for byte, the
remote code of folders that `strata export --remote-code` writes.
"""

import transformers
from transformers import DynamicCache
from transformers.cache_utils import CacheLayerMixin, DynamicLayer, DynamicSlidingWindowLayer
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.llama import modeling_llama as llama
from transformers.models.mistral import modeling_mistral as mistral
from transformers.models.qwen2 import modeling_qwen2 as qwen2
from transformers.models.qwen3 import modeling_qwen3 as qwen3

if int(transformers.__version__.split(".")[0]) < 5:
    raise ImportError(f"Strata's models need transformers 5.0 or newer; this is {transformers.__version__}.")


def read_map(config):
    """The sharing map in a config as a list of L layer numbers, or None. Raises ValueError where it does not fit."""
    strata = getattr(config, "strata", None)
    if strata is None:
        return None
    if not isinstance(strata, dict) or not isinstance(strata.get("map"), (list, tuple)):
        raise ValueError('The config\'s "strata" holds no "map"; give a list with one layer number for each layer.')
    if strata.get("version", 1) != 1:
        raise ValueError(f"The sharing map has version {strata['version']}; this package reads version 1, so update it.")
    sources, layers = list(strata["map"]), config.num_hidden_layers
    if len(sources) != layers:
        raise ValueError(f"The sharing map is for {len(sources)} layers, but this model has {layers}.")
    for layer, source in enumerate(sources):
        if isinstance(source, bool) or not isinstance(source, int) or not 0 <= source <= layer:
            raise ValueError(f"Layer {layer} of the sharing map reads layer {source!r}; it can read itself or an earlier one.")
        if sources[source] != source:
            raise ValueError(f"Layer {layer} of the sharing map reads layer {source}, which follows layer {sources[source]}; "
                             "point it at an owner.")
    return sources


class SharedKv:
    """Keys and values of one forward pass by owner. No dict: accelerate and FSDP copy those on the way."""

    def __init__(self):
        self.by_owner = {}


class CacheRecorder:
    """Given to an owner's stock attention as its cache: updates the real one and keeps what the attention will read."""

    def __init__(self, cache, shared):
        self.cache, self.shared = cache, shared

    def update(self, keys, values, layer, *rest, **options):
        if self.cache is not None:  # a sliding window's cache returns more than it stores
            keys, values = self.cache.update(keys, values, layer, *rest, **options)
        self.shared.by_owner[layer] = keys, values
        return keys, values


class FollowerCacheLayer(CacheLayerMixin):
    """A follower's place in a cache. It stores nothing and answers for its owner's layer."""

    keys = values = None
    is_initialized = supports_early_init = False

    def __init__(self, owner):
        self.owner = owner

    is_sliding = property(lambda self: self.owner.is_sliding)
    is_compileable = property(lambda self: self.owner.is_compileable)
    is_croppable = property(lambda self: getattr(self.owner, "is_croppable", True))

    def get_seq_length(self, *args):
        return self.owner.get_seq_length(*args)

    def get_mask_sizes(self, *args):
        return self.owner.get_mask_sizes(*args)

    def get_max_length(self):
        return self.owner.get_max_length()

    def get_max_cache_shape(self):
        return self.owner.get_max_cache_shape()

    def update(self, *args, **kwargs):
        raise RuntimeError("A follower has no keys and values to store: this cache was used under another sharing map.")

    def nothing(self, *args, **kwargs):
        pass

    lazy_initialization = offload = prefetch = reset = nothing
    crop = reorder_cache = batch_repeat_interleave = batch_select_indices = nothing


class SharingAttention:
    """Goes before a stock attention class. `kv_source` is the layer whose keys and values this one reads."""

    def forward(self, hidden_states, position_embeddings=None, attention_mask=None, past_key_values=None, shared_kv=None,
                **kwargs):
        if self.kv_source == self.layer_idx:
            return super().forward(hidden_states, position_embeddings=position_embeddings, attention_mask=attention_mask,
                                   past_key_values=CacheRecorder(past_key_values, shared_kv), **kwargs)
        batch_and_length = hidden_states.shape[:-1]
        query = self.q_proj(hidden_states).view(*batch_and_length, -1, self.head_dim)
        if hasattr(self, "q_norm"):
            query = self.q_norm(query)
        query = query.transpose(1, 2)
        cos, sin = (each.unsqueeze(1) for each in position_embeddings)
        query = (query * cos) + (llama.rotate_half(query) * sin)
        keys, values = (each.to(query.device) for each in shared_kv.by_owner[self.kv_source])
        name = self.config._attn_implementation
        attend = llama.eager_attention_forward if name == "eager" else ALL_ATTENTION_FUNCTIONS[name]
        output, weights = attend(self, query, keys, values, attention_mask, scaling=self.scaling,
                                 dropout=self.attention_dropout if self.training else 0.0, sliding_window=self.window(), **kwargs)
        return self.o_proj(output.reshape(*batch_and_length, -1).contiguous()), weights

    def window(self):
        return getattr(self, "sliding_window", None)


class LlamaAttention(SharingAttention, llama.LlamaAttention):
    pass


class MistralAttention(SharingAttention, mistral.MistralAttention):
    def window(self):
        return getattr(self.config, "sliding_window", None)


class Qwen2Attention(SharingAttention, qwen2.Qwen2Attention):
    pass


class Qwen3Attention(SharingAttention, qwen3.Qwen3Attention):
    pass


def fit_cache(cache, sources, crossing):
    """Puts a place that stores nothing wherever a follower has a layer of the cache."""
    layers = cache.layers
    while len(layers) < len(sources) and getattr(cache, "layer_class_to_replicate", None) is not None:
        layers.append(cache.layer_class_to_replicate())
    for layer, source in enumerate(sources[:len(layers)]):
        if source == layer:
            if isinstance(layers[layer], FollowerCacheLayer):
                raise ValueError(f"Layer {layer} owns its keys and values, but this cache was filled under a map in which it "
                                 "follows; begin with an empty cache.")
            if crossing and layers[layer].is_sliding:
                # A layer without a window may read what one with a window made, so every position is kept.
                if type(layers[layer]) is not DynamicSlidingWindowLayer or layers[layer].get_seq_length() > 0:
                    raise NotImplementedError("This sharing map crosses sliding and full layers, which works only with a "
                                              "DynamicCache that is empty at first.")
                layers[layer] = DynamicLayer()
        elif not isinstance(layers[layer], FollowerCacheLayer):
            layers[layer] = FollowerCacheLayer(layers[source])
        elif layers[layer].owner is not layers[source]:
            raise ValueError(f"Layer {layer} reads layer {source}, but this cache was filled under a map in which it does not; "
                             "begin with an empty cache.")


def begin_forward(decoder, args, kwargs):
    """Before each forward of the decoder: a new SharedKv, and a cache that is made for the map."""
    config = decoder.config
    if "paged" in config._attn_implementation:
        raise NotImplementedError("transformers' paged attention (continuous batching) does not follow a sharing map; "
                                  "serve the folder with vLLM and strata_vllm, or with Strata.")
    sources = [layer.self_attn.kv_source for layer in decoder.layers]
    use_cache = config.use_cache if kwargs.get("use_cache") is None else kwargs["use_cache"]
    if use_cache and kwargs.get("past_key_values") is None:
        kwargs["past_key_values"] = DynamicCache(config=config)
    if kwargs.get("past_key_values") is not None:
        kinds = getattr(config, "layer_types", None)
        crossing = kinds is not None and any(kinds[layer] != kinds[source] for layer, source in enumerate(sources))
        fit_cache(kwargs["past_key_values"], sources, crossing)
    return args, {**kwargs, "shared_kv": SharedKv()}


class SharingCausalLM:
    """Goes before a stock model for causal language modelling. `attention` is its family's attention class above."""

    def __init__(self, config, *args, **kwargs):
        super().__init__(config, *args, **kwargs)
        sources = read_map(config)
        self.shares = sources is not None and sources != list(range(len(sources)))
        if self.shares:
            for layer, source in zip(self.model.layers, sources):
                layer.self_attn.__class__ = self.attention
                layer.self_attn.kv_source = source
            self.model.register_forward_pre_hook(begin_forward, with_kwargs=True)

    def train(self, mode=True):
        """from_pretrained calls it too. What followers do not use is not trained: DistributedDataParallel would miss it."""
        for layer in self.model.layers if self.shares else ():
            attention = layer.self_attn
            if attention.kv_source != attention.layer_idx:
                for name in ("k_proj", "v_proj", "k_norm"):
                    for parameter in getattr(attention, name).parameters() if hasattr(attention, name) else ():
                        parameter.requires_grad_(False)
        return super().train(mode)

    def gradient_checkpointing_enable(self, gradient_checkpointing_kwargs=None, **rest):
        options = {"use_reentrant": False, **(gradient_checkpointing_kwargs or {})}
        if self.shares and options["use_reentrant"]:
            raise ValueError("Checkpointing with use_reentrant=True would lose the gradients that followers send to their "
                             "owners; use gradient_checkpointing_kwargs={\"use_reentrant\": False}.")
        super().gradient_checkpointing_enable(gradient_checkpointing_kwargs=options, **rest)


class LlamaForCausalLM(SharingCausalLM, llama.LlamaForCausalLM):
    attention = LlamaAttention


class MistralForCausalLM(SharingCausalLM, mistral.MistralForCausalLM):
    attention = MistralAttention


class Qwen2ForCausalLM(SharingCausalLM, qwen2.Qwen2ForCausalLM):
    attention = Qwen2Attention


class Qwen3ForCausalLM(SharingCausalLM, qwen3.Qwen3ForCausalLM):
    attention = Qwen3Attention
