#!/usr/bin/env python3
"""vllm_test.py [CLASS …]: vLLM with strata_vllm against the strata program. Runs in the Python of
`packaging/setup --interop`, .deps/vllm; STRATA names the program. Kernels for the CPU, float32, greedy answers."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

from support import (SAMPLE, as_text, config_of, five_maps, greedy, installed_wheel, prompts_of, small_models, strata,
                     temporary_folder)

TOKENS = 24
EAGER = {"dtype": "float32", "enforce_eager": True, "max_model_len": 256, "max_num_seqs": 16,
         "enable_prefix_caching": False}


def order(model, sharing_map, rounds, **more):
    engine = {**EAGER, "model": str(model), **more.pop("engine", {})}
    if sharing_map is not None:
        engine["hf_overrides"] = {"strata": {"version": 1, "map": sharing_map}}
    return {"engine": engine, "rounds": rounds, "tokens": TOKENS, **more}


def run(orders, log=None, **environment):
    """The answers of vllm_engine.py to the orders, with the wheel of packaging/python; asserts that it came to the end."""
    with temporary_folder() as folder:
        environment = {"PYTHONPATH": installed_wheel(folder), **environment}
        answers = pathlib.Path(folder) / "answers"
        program = pathlib.Path(__file__).with_name("vllm_engine.py")
        told = subprocess.run([sys.executable, str(program), "--answers", str(answers)], text=True, capture_output=True,
                              input="".join(json.dumps(each) + "\n" for each in orders), check=False,
                              env={**os.environ, "VLLM_LOGGING_LEVEL": "INFO", **environment})
        lines = answers.read_text().splitlines() if answers.exists() else []
        if log is not None:
            log.append(told.stdout + told.stderr)
        if len(lines) != len(orders):
            raise AssertionError(f"the engine left with {told.returncode} after {len(lines)} of {len(orders)} orders:\n"
                                 + (told.stdout + told.stderr)[-6000:])
        answers = [json.loads(line) for line in lines]
        if any("error" in each for each in answers):
            answers = [{**each, "log": (told.stdout + told.stderr)[-20000:]} for each in answers]
        return answers


class Engine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = temporary_folder()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name)
        cls.models = {path.name: path for path in small_models(cls.path / "models")}

    def answered(self, told):
        if "error" in told:
            self.fail(f"{told['error']}\n{told['log']}")

    def same_as_strata(self, model, sharing_map, asked, told, *options):
        self.answered(told)
        for prompts, answers in zip(asked["rounds"], told["ids"], strict=True):
            for prompt, answer in zip(prompts, answers, strict=True):
                self.assertEqual(answer, greedy(model, prompt, TOKENS, sharing_map, *options),
                                 f"{model}, map {sharing_map}, prompt {prompt}")


class Maps(Engine):
    """Five maps of each model: the answers are Strata's, and the blocks times the owners stay what they are."""

    def check(self, model):
        layers = config_of(model)["num_hidden_layers"]
        maps = five_maps(layers)
        asked = [order(model, sharing_map, [prompts_of(model, 6)]) for sharing_map in maps]
        answers = run(asked)
        full = answers[0]["blocks"] * layers
        for sharing_map, one, told in zip(maps, asked, answers):
            self.same_as_strata(model, sharing_map, one, told)
            owners = len(set(sharing_map))
            self.assertLessEqual(abs(told["blocks"] * owners - full), layers, sharing_map)
            print(f"{model.name:<16} {as_text(sharing_map):<26} owners {owners:>2}/{layers:<2} blocks {told['blocks']:>6} of "
                  f"{told['block_size']}, {told['blocks'] * told['block_size']:>9} tokens in 1 GiB, "
                  f"{len(one['rounds'][0])} of {len(one['rounds'][0])} equal", flush=True)

    def test_llama(self):
        self.check(self.models["llama-gqa"])

    def test_llama_with_biases(self):
        self.check(self.models["llama-bias"])

    def test_mistral_with_a_window(self):
        self.check(self.models["mistral-window"])

    def test_qwen2(self):
        self.check(self.models["qwen2-bias"])

    def test_qwen3(self):
        self.check(self.models["qwen3-norms"])

    def test_the_sample(self):
        self.check(SAMPLE)


class Folders(Engine):
    """The map of an export, none, another one, and ones that are refused."""

    def test_an_export_is_served_under_its_own_map_and_the_log_says_so(self):
        exported = self.path / "half"
        strata("export", SAMPLE, "--map", "retention:.5", "--remote-code", exported)
        half = config_of(exported)["strata"]["map"]
        other = [0] * 12
        log = []
        asked = [order(exported, None, [prompts_of(exported, 3)]), order(exported, other, [prompts_of(exported, 3)])]
        answers = run(asked, log)
        self.same_as_strata(exported, half, asked[0], answers[0])
        self.same_as_strata(exported, other, asked[1], answers[1])
        for words in ("Strata: 6 of 12 layers keep keys and values", "KV cache size"):
            self.assertIn(words, log[0])
            self.assertIn(words, (exported / "README.md").read_text())

    def test_without_the_plugin_the_cache_is_full_and_so_are_the_answers(self):
        model = self.models["llama-gqa"]
        half = [0, 0, 2, 2, 4, 4]
        asked = [order(model, half, [prompts_of(model, 3)])]
        without, = run(asked, VLLM_PLUGINS="")
        shared, = run(asked)
        self.same_as_strata(model, list(range(6)), asked[0], without)
        self.same_as_strata(model, half, asked[0], shared)
        self.assertLessEqual(abs(shared["blocks"] - 2 * without["blocks"]), 1)

    def test_a_map_that_is_not_for_the_model_is_refused_in_a_sentence(self):
        model = self.models["llama-gqa"]
        answers = run([order(model, [0, 0, 0], [[[1]]]), order(model, [0, 0, 3, 3, 4, 4], [[[1]]]),
                       order(model, [0, 0, 1, 3, 4, 4], [[[1]]])])
        for told, words in zip(answers, ("is for 3 layers, but this model has 6", "Layer 2 of the sharing map reads layer 3",
                                         "reads layer 1, which follows layer 0"), strict=True):
            self.assertIn(words, told["error"])


class Features(Engine):
    """What vLLM does beside: each with the answers of Strata."""

    def check(self, rounds=None, maps=((0, 0, 2, 2, 4, 4), (0, 1, 2, 2, 2, 2)), name="llama-gqa", **more):
        model = self.models[name]
        asked = [order(model, list(sharing_map), rounds or [prompts_of(model, 4)], **more) for sharing_map in maps]
        answers = run(asked)
        for sharing_map, one, told in zip(maps, asked, answers):
            self.same_as_strata(model, sharing_map, one, told)
        return answers

    def test_prefix_caching(self):
        long = prompts_of(self.models["llama-gqa"], 1, length=200)[0]
        answers = self.check([[long], [[*long[:150], 9, 8, 7]]], engine={"enable_prefix_caching": True, "block_size": 32})
        for told in answers:
            self.assertGreaterEqual(told["cached"][1][0], 128)

    def test_chunked_prefill(self):
        model = self.models["llama-gqa"]
        self.check([prompts_of(model, 3, length=100)], engine={"enable_chunked_prefill": True, "max_num_batched_tokens": 32})

    def test_chunked_prefill_in_a_sliding_window(self):
        model = self.models["mistral-window"]
        self.check([prompts_of(model, 3, length=100)], name="mistral-window",
                   engine={"enable_chunked_prefill": True, "max_num_batched_tokens": 32})

    def test_fast_prefill(self):
        model = self.models["llama-gqa"]
        self.check([prompts_of(model, 3, length=100), prompts_of(model, 5)], engine={"kv_sharing_fast_prefill": True})

    def test_fast_prefill_in_chunks(self):
        model = self.models["llama-gqa"]
        self.check([prompts_of(model, 3, length=100)], engine={"kv_sharing_fast_prefill": True, "enable_chunked_prefill": True,
                                                               "max_num_batched_tokens": 32})

    def test_fast_prefill_of_compiled_models_is_refused(self):
        told, = run([order(self.models["llama-gqa"], [0, 0, 2, 2, 4, 4], [[[1]]],
                           engine={"kv_sharing_fast_prefill": True, "enforce_eager": False})])
        self.assertIn("--enforce-eager", told["error"])

    def test_tensor_parallel(self):
        self.check(engine={"tensor_parallel_size": 2}, maps=((0, 0, 2, 2, 4, 4),))
        self.check(engine={"tensor_parallel_size": 2}, maps=((0, 1, 1, 1, 4, 4, 1, 0),), name="qwen3-norms")


    def test_pipeline_stages_that_part_a_follower_from_its_owner_are_refused(self):
        told, = run([order(self.models["llama-gqa"], [0, 0, 2, 2, 4, 4], [[[1]]], engine={"pipeline_parallel_size": 2})])
        self.assertIn("error", told)
        self.assertIn("Pipeline stages would part followers from their owners (layer 3 from 2): set "
                      "VLLM_PP_LAYER_PARTITION=2,4", told["log"])

    def test_a_map_across_windows_is_refused(self):
        mixed = order(self.models["mistral-window"], [0, 0, 2, 2, 4, 4], [[[1]]])
        mixed["engine"]["hf_overrides"]["layer_types"] = ["sliding_attention", "full_attention"] * 3
        told, = run([mixed])
        self.assertIn("vLLM shares caches only between layers of one window", told["error"])

    def test_lora(self):
        import quantise

        for name, sharing_map in (("llama-gqa", [0, 0, 2, 2, 4, 4]), ("qwen3-norms", [0, 1, 1, 1, 4, 4, 1, 0])):
            model = self.models[name]
            adapter = quantise.lora(model, self.path / f"{name}-adapter")
            one = order(model, sharing_map, [prompts_of(model, 4)], lora=str(adapter),
                        engine={"enable_lora": True, "max_lora_rank": 8})
            told, = run([one])
            self.same_as_strata(model, sharing_map, one, told, "--adapter", adapter)
            prompt = prompts_of(model, 1)[0]
            self.assertNotEqual(told["ids"][0][0], greedy(model, prompt, TOKENS, sharing_map))


def apart(ours, theirs):
    """Mean distance of the losses of two answers' tokens."""
    pairs = [pair for one, other in zip(ours, theirs, strict=True) for pair in zip(one, other, strict=True)]
    return sum(abs(one - other) for one, other in pairs) / len(pairs)


class Quantised(Engine):
    """Checkpoints that Strata does not read: losses of prompts by token, against transformers with strata_hf and the same
    roundings. Losses under the right map are far nearer than those under the full one."""

    MAPS = ([0, 0, 2, 2, 4, 4], [0, 1, 2, 2, 2, 2])
    LENGTH = 120

    def losses(self, model, sharing_map, prompts, change=lambda model: model, dtype="float32"):
        import strata_hf
        import torch

        reference = change(strata_hf.load(model, map=sharing_map, dtype=getattr(torch, dtype))).eval()
        with torch.no_grad():
            logits = reference(torch.tensor(prompts)).logits[:, :-1].float()
        return torch.nn.functional.cross_entropy(logits.transpose(1, 2), torch.tensor(prompts)[:, 1:], reduction="none").tolist()

    def check(self, folder, reference, dtype="float32", **options):
        prompts = prompts_of(folder, 3, self.LENGTH)
        asked = [order(folder, each, [prompts], score=True, engine={"dtype": dtype}) for each in self.MAPS]
        full = self.losses(reference, list(range(6)), prompts, dtype=dtype, **options)
        for sharing_map, told in zip(self.MAPS, run(asked), strict=True):
            self.answered(told)
            right = apart(told["losses"], self.losses(reference, sharing_map, prompts, dtype=dtype, **options))
            wrong = apart(told["losses"], full)
            print(f"{folder.name} {as_text(sharing_map)}: {right:.3f} nats a token from the reference, {wrong:.3f} from the full "
                  "map", flush=True)
            self.assertLess(right, 0.2 * wrong)

    def test_compressed_tensors_in_8_bits(self):
        import quantise

        model = self.models["llama-gqa"]
        self.check(quantise.w8a8(model, self.path / "w8a8"), model, change=quantise.as_w8a8)

    def test_gptq_in_4_bits(self):
        import quantise

        folder = quantise.gptq(self.models["qwen2-bias"], self.path / "gptq", self.path / "gptq-plain")
        self.check(folder, self.path / "gptq-plain", dtype="bfloat16")

    def test_awq_in_4_bits(self):
        import quantise

        folder = quantise.awq(self.models["qwen2-bias"], self.path / "awq", self.path / "awq-plain")
        self.check(folder, self.path / "awq-plain", dtype="bfloat16")

    def test_scales_of_an_fp8_cache_are_the_owners(self):
        import quantise

        model, sharing_map = self.models["llama-gqa"], [0, 0, 2, 2, 4, 4]
        prompts = prompts_of(model, 3, self.LENGTH)

        def scales(owners, followers):
            return [(owners, owners) if source == layer else (followers, followers)
                    for layer, source in enumerate(sharing_map)]

        folders = [quantise.w8a8(model, self.path / name, cache_scales) for name, cache_scales in
                   (("same", scales(0.05, 0.05)), ("other", scales(0.05, 3.0)), ("small", scales(0.0005, 0.05)), ("exact", None))]
        answers = run([order(each, sharing_map, [prompts], score=True) for each in folders])
        for told in answers:
            self.answered(told)
        same, other, small, exact = answers
        right, lost = (apart(each["losses"], exact["losses"]) for each in (same, small))
        print(f"fp8 cache: {right:.3f} nats a token from an exact one, {lost:.3f} where the owners' scales are too small", flush=True)
        self.assertEqual(same["losses"], other["losses"])
        self.assertLess(right, 0.5 * lost)
        self.assertGreater(same["blocks"], 3 * exact["blocks"])


class Compiled(Engine):
    def test_two_maps_do_not_share_a_compiled_model(self):
        model = self.models["llama-gqa"]
        maps = ([0, 0, 2, 2, 4, 4], [0, 1, 0, 1, 4, 4])
        asked = [order(model, sharing_map, [prompts_of(model, 3)], engine={"enforce_eager": False}) for sharing_map in maps]
        for sharing_map, one, told in zip(maps, asked, run(asked, VLLM_CACHE_ROOT=str(self.path / "cache"))):
            self.same_as_strata(model, sharing_map, one, told)


if __name__ == "__main__":
    unittest.main(verbosity=2)
