"""Strata's sharing maps in transformers.

    import strata_hf
    model = strata_hf.load("exported")                            # under the folder's own map
    model = strata_hf.load("exported", map=[0, 0, 2, 2])          # under another one

`load` returns a model of transformers, with its generate, PEFT, TRL and whatever else takes one.
"""

import copy

from transformers import AutoConfig

from . import modeling_strata

WHERE = ("revision", "token", "cache_dir", "subfolder", "local_files_only")  # options that say where the config is, too
FAMILIES = {
    "llama": modeling_strata.LlamaForCausalLM,
    "mistral": modeling_strata.MistralForCausalLM,
    "qwen2": modeling_strata.Qwen2ForCausalLM,
    "qwen3": modeling_strata.Qwen3ForCausalLM,
}


def load(folder, map=None, *, config=None, **options):
    """`from_pretrained(folder, **options)` under the map in the folder's config.json, or under `map`: a list that says for
    each layer whose keys and values it reads. Without either the model is the stock one."""
    if config is None:
        config = AutoConfig.from_pretrained(folder, **{name: options[name] for name in WHERE if name in options})
    config = copy.deepcopy(config)
    family = FAMILIES.get(config.model_type)
    if family is None:
        raise ValueError(f"{folder} is a {config.model_type} model; sharing maps work for {', '.join(FAMILIES)}.")
    if map is not None:
        config.strata = {"version": 1, "map": map if isinstance(map, str) else list(map)}
    modeling_strata.read_map(config)
    # What this model saves brings modeling_strata.py along, so that it is not read as a stock model by mistake.
    family.register_for_auto_class("AutoModelForCausalLM")
    return family.from_pretrained(folder, config=config, **options)
