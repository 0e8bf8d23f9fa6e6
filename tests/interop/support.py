"""What the tests of strata_hf and strata_vllm share: the strata program, models, maps, prompts."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("STRATA", str(ROOT / "build/release/bin/strata"))
SAMPLE = ROOT / "resources/models/sample-routed"
GOLDEN = ROOT / "tests/golden/models"
VLLM_PYTHON = pathlib.Path(os.environ.get("VLLM_PYTHON", ROOT / ".deps/vllm/bin/python"))
os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TRANSFORMERS_VERBOSITY="error", TOKENIZERS_PARALLELISM="false")
for folder in (ROOT / "packaging/python", pathlib.Path(__file__).parent, ROOT / "tests/journeys"):
    sys.path.insert(0, str(folder))


def strata(*arguments):
    """The answer of `strata ARGUMENTS --json`."""
    done = subprocess.run([PROGRAM, *map(str, arguments), "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return json.loads(done.stdout)


def as_text(sharing_map):
    return ",".join(map(str, sharing_map))


def greedy(model, ids, tokens, sharing_map, *options):
    """What `strata generate` continues `ids` with in float32."""
    return strata("generate", model, "--ids", as_text(ids), "--temperature", 0, "--dtype", "float32", "--ignore-eos",
                  "--max-tokens", tokens, "--map", as_text(sharing_map), *options)["ids"]


def config_of(model):
    return json.loads((pathlib.Path(model) / "config.json").read_text())


def five_maps(layers):
    """The full map; every second layer owns; the first half owns; the first alone; and one that skips owners."""
    full = list(range(layers))
    skipping = [0, 1, 0, 1, *(0 if layer % 2 else layer for layer in range(4, layers))]
    return [full, [layer - layer % 2 for layer in full], [min(layer, layers // 2 - 1) for layer in full], [0] * layers,
            skipping[:layers]]


def prompts_of(model, number, length=12):
    vocabulary = config_of(model)["vocab_size"]
    return [[(17 * number_ + 31 * at * at + 7 * at) % (vocabulary - 4) + 4 for at in range(length)]
            for number_ in range(number)]


def installed_wheel(folder):
    """A folder for PYTHONPATH with the wheel of packaging/wheel in it, entry points and all."""
    wheels = pathlib.Path(folder) / "wheels"
    subprocess.run([ROOT / "packaging/wheel", wheels], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "PYTHON": str(VLLM_PYTHON)})
    with zipfile.ZipFile(next(wheels.iterdir())) as wheel:
        wheel.extractall(pathlib.Path(folder) / "site")
    return str(pathlib.Path(folder) / "site")


def temporary_folder():
    return tempfile.TemporaryDirectory(prefix="strata-interop-")


def small_models(folder):
    import make_models

    return make_models.make_all(pathlib.Path(folder))
