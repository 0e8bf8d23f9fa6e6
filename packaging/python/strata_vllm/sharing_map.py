"""Sharing maps, and what they ask of pipeline stages. Knows nothing of vLLM."""


def read_map(config):
    """The sharing map in a config as a list of L layer numbers, or None. Raises ValueError where it does not fit."""
    held = getattr(config, "strata", None)
    if held is None:
        return None
    if not (isinstance(held, dict) and isinstance(held.get("map"), (list, tuple))):
        raise ValueError('The config\'s "strata" holds no "map"; give a list with one layer number for each layer.')
    version = held.get("version", 1)
    if version != 1:
        raise ValueError(f"The sharing map has version {version}; this package reads version 1, so update it.")
    owners, sharing_map = set(), list(held["map"])
    if len(sharing_map) != config.num_hidden_layers:
        raise ValueError(f"The sharing map is for {len(sharing_map)} layers, but this model has {config.num_hidden_layers}.")
    for layer, source in enumerate(sharing_map):
        if type(source) is not int or source < 0 or source > layer:
            raise ValueError(f"Layer {layer} of the sharing map reads layer {source!r}; it can read itself or an earlier one.")
        if source == layer:
            owners.add(layer)
        elif source not in owners:
            raise ValueError(f"Layer {layer} of the sharing map reads layer {source}, which follows layer "
                             f"{sharing_map[source]}; point it at an owner.")
    return sharing_map


def check_stages(sharing_map, first_layers):
    """Raises ValueError where a pipeline stage would part a follower from its owner. `first_layers`: of each stage, [0, …]."""
    stage = [sum(first <= layer for first in first_layers) for layer in range(len(sharing_map))]
    parted = [f"{layer} from {source}" for layer, source in enumerate(sharing_map) if stage[layer] != stage[source]]
    if parted:
        raise ValueError(f"Pipeline stages would part followers from their owners (layer {', '.join(parted)}): "
                         f"{advice(sharing_map, len(first_layers))}")


def advice(sharing_map, stages):
    layers = len(sharing_map)
    # A stage may begin at a layer that no follower at or above it reads beyond.
    allowed = [layer for layer in range(1, layers) if min(sharing_map[layer:]) >= layer]
    if len(allowed) < stages - 1:
        return f"no partition into {stages} stages keeps them together, so use tensor parallelism instead."
    begins = [0]
    for stage in range(1, stages):
        still_to_place = stages - 1 - stage
        choice = [layer for layer in allowed if layer > begins[-1]]
        choice = choice[:len(choice) - still_to_place]
        begins.append(min(choice, key=lambda layer: abs(layer - layers * stage / stages)))
    sizes = [end - begin for begin, end in zip(begins, begins[1:] + [layers])]
    return f"set VLLM_PP_LAYER_PARTITION={','.join(map(str, sizes))}, or use tensor parallelism instead."
