"""vLLM serves models under their Strata sharing map.

vLLM finds this package by its entry point and calls `register` in each of its processes; there is nothing to import:

    vllm serve exported                                              # a folder that `strata export` wrote
    vllm serve exported --hf-overrides '{"strata": {"map": [0, 0, 2, 2]}}'

Models whose config.json holds no map are served as before.
"""

ARCHITECTURES = ("LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM")


def register():
    from vllm import ModelRegistry

    for architecture in ARCHITECTURES:
        ModelRegistry.register_model(architecture, f"strata_vllm.models:{architecture}")
