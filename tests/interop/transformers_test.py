#!/usr/bin/env python3
"""transformers_test.py [CLASS …]: transformers with strata_hf, and folders with remote code, against golden files and the
strata program. Runs in the Python of `packaging/setup --interop`, .deps/transformers; STRATA names the program."""

import contextlib
import io
import json
import pathlib
import sys
import unittest
import warnings

from support import GOLDEN, PROGRAM, ROOT, SAMPLE, as_text, config_of, five_maps, greedy, prompts_of, strata, temporary_folder

import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, DynamicCache, StaticCache

import strata_hf
from strata_hf import modeling_strata

torch.set_num_threads(2)
transformers.utils.logging.disable_progress_bar()
CROSSING = ("qwen2-mixed", "qwen2-alternating")


def bytes_of(cache):
    return sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers if layer.keys is not None)


def loaded(model, sharing_map=None, attention="sdpa", **options):
    return strata_hf.load(model, map=sharing_map, dtype=torch.float32, attn_implementation=attention, **options).eval()


def generated(model, prompts, tokens=24, **options):
    """Greedy ids of prompts of one length, without the prompt, and the cache."""
    ids = torch.tensor(prompts)
    with torch.no_grad():
        told = model.generate(ids, max_new_tokens=tokens, do_sample=False, eos_token_id=None, pad_token_id=0,
                              attention_mask=torch.ones_like(ids), return_dict_in_generate=True, **options)
    return told.sequences[:, ids.shape[1]:].tolist(), told.past_key_values


def logits_in_pieces(model, ids, size, cache=None):
    """Logits of a text that goes through a cache `size` ids at a time."""
    pieces = []
    with torch.no_grad():
        for begin in range(0, len(ids), size):
            told = model(torch.tensor([ids[begin:begin + size]]), past_key_values=cache, use_cache=True)
            cache = told.past_key_values
            pieces.append(told.logits[0])
    return torch.cat(pieces)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = temporary_folder()
        cls.addClassCleanup(folder.cleanup)
        cls.path = pathlib.Path(folder.name)

    def near(self, ours, theirs, most=2e-4, said=None):
        self.assertLessEqual((ours - theirs).abs().max().item(), most, said)


class Golden(Case):
    """Every golden model under its five maps for inference: logits with and without a cache, greedy ids, bytes."""

    def check(self, attention):
        for folder in sorted(GOLDEN.iterdir()):
            golden, tensors = json.loads((folder / "golden.json").read_text()), load_file(folder / "golden.safetensors")
            full = None
            for case in (case for case in golden["maps"] if case["kind"] == "inference"):
                with self.subTest(model=folder.name, map=case["src"]):
                    model = loaded(folder, case["src"], attention)
                    for number, ids in enumerate(golden["input_ids"]):
                        expected = tensors[f"{case['name']}/logits/{number}"]
                        with torch.no_grad():
                            self.near(model(torch.tensor([ids]), use_cache=False).logits[0], expected)
                        for size in (1, 5):
                            self.near(logits_in_pieces(model, ids, size), expected)
                    (ids,), cache = generated(model, [golden["prompt_ids"]], golden["new_tokens"])
                    self.assertEqual(ids, case["fp32"]["greedy_ids"])
                    self.assertEqual(ids, greedy(folder, golden["prompt_ids"], golden["new_tokens"], case["src"]))
                    full = full or bytes_of(cache)
                    if folder.name not in CROSSING:
                        self.assertEqual(bytes_of(cache) * len(case["src"]), full * len(set(case["src"])))

    def test_sdpa(self):
        self.check("sdpa")

    def test_eager(self):
        self.check("eager")

    def test_as_flash_attention_is_called(self):
        """Flash attention needs a GPU. What it would be given, answered by plain arithmetic: no mask, but the window."""

        def flash(module, query, keys, values, attention_mask, scaling=None, sliding_window=None, **_):
            assert attention_mask is None
            queries, held = query.shape[2], keys.shape[2]
            at = torch.arange(held - queries, held)[:, None]
            before = torch.arange(held)[None, :]
            seen = before <= at if not sliding_window else (before <= at) & (before > at - sliding_window)
            keys, values = (each.repeat_interleave(module.num_key_value_groups, dim=1) for each in (keys, values))
            weights = (query @ keys.transpose(2, 3) * scaling).masked_fill(~seen, float("-inf")).softmax(-1)
            return (weights @ values).transpose(1, 2), None

        transformers.AttentionInterface.register("by_hand", flash)
        transformers.AttentionMaskInterface.register(
            "by_hand", transformers.masking_utils.ALL_MASK_ATTENTION_FUNCTIONS["flash_attention_2"])
        self.check("by_hand")


    def test_flex_attention(self):
        for name in ("llama31-gqa", "mistral-swa"):
            golden, tensors = json.loads((GOLDEN / name / "golden.json").read_text()), load_file(GOLDEN / name / "golden.safetensors")
            case = next(case for case in golden["maps"] if case["name"] == "stride2")
            with torch.no_grad():
                told = loaded(GOLDEN / name, case["src"], "flex_attention")(torch.tensor([golden["input_ids"][0]]))
            self.near(told.logits[0], tensors["stride2/logits/0"])


class Sample(Case):
    def test_greedy_answers_are_those_of_strata_under_five_maps(self):
        full = None
        for sharing_map in five_maps(config_of(SAMPLE)["num_hidden_layers"]):
            with self.subTest(map=sharing_map):
                prompts = prompts_of(SAMPLE, 4)
                answers, cache = generated(loaded(SAMPLE, sharing_map), prompts, 32)
                for prompt, answer in zip(prompts, answers):
                    self.assertEqual(answer, greedy(SAMPLE, prompt, 32, sharing_map))
                full = full or bytes_of(cache)
                self.assertEqual(bytes_of(cache) * 12, full * len(set(sharing_map)))

    def test_the_full_map_is_the_stock_model_to_the_bit(self):
        ids = torch.tensor(prompts_of(SAMPLE, 2))
        stock = AutoModelForCausalLM.from_pretrained(SAMPLE, dtype=torch.bfloat16)
        ours = strata_hf.load(SAMPLE, map=list(range(12)), dtype=torch.bfloat16)
        with torch.no_grad():
            self.assertTrue(torch.equal(stock(ids).logits, ours(ids).logits))


class Generating(Case):
    """The ways of `generate`, on one model of full attention, one with windows and one with norms of queries and keys."""

    MODELS = ("llama31-gqa", "mistral-swa", "qwen3-qknorm")

    def each(self):
        for name in self.MODELS:
            golden = json.loads((GOLDEN / name / "golden.json").read_text())
            case = next(case for case in golden["maps"] if case["name"] == "stride2")
            yield GOLDEN / name, golden["prompt_ids"], case["src"], case["fp32"]["greedy_ids"]

    def test_beams_choose_what_they_choose_without_a_cache(self):
        for folder, prompt, sharing_map, _ in self.each():
            model = loaded(folder, sharing_map)
            with_cache, _ = generated(model, [prompt], num_beams=3)
            without, _ = generated(model, [prompt], num_beams=3, use_cache=False)
            self.assertEqual(with_cache, without)

    def test_assisted_decoding_by_another_map_and_by_the_prompt(self):
        for folder, prompt, sharing_map, expected in self.each():
            model = loaded(folder, sharing_map)
            helper = loaded(folder, [0] * len(sharing_map))
            self.assertEqual(generated(model, [prompt], assistant_model=helper)[0], [expected])
            self.assertEqual(generated(model, [prompt], prompt_lookup_num_tokens=3)[0], [expected])
            (full,), _ = generated(loaded(folder, list(range(len(sharing_map)))), [prompt])
            stock = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
            self.assertEqual(generated(stock, [prompt], assistant_model=model)[0], [full])

    def test_caches_of_every_kind(self):
        for folder, prompt, sharing_map, expected in self.each():
            model = loaded(folder, sharing_map)
            self.assertEqual(generated(model, [prompt], past_key_values=DynamicCache())[0], [expected])
            self.assertEqual(generated(model, [prompt], prefill_chunk_size=4)[0], [expected])
            self.assertEqual(generated(model, [prompt], cache_implementation="dynamic")[0], [expected])
            answers, cache = generated(model, [prompt], cache_implementation="static", disable_compile=True)
            self.assertEqual(answers, [expected])
            stock = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
            _, full = generated(stock, [prompt], cache_implementation="static", disable_compile=True)
            self.assertIsInstance(cache, StaticCache)
            self.assertEqual(bytes_of(cache) * len(sharing_map), bytes_of(full) * len(set(sharing_map)))

    def test_a_chat_goes_on_from_its_cache(self):
        for folder, prompt, sharing_map, expected in self.each():
            model = loaded(folder, sharing_map)
            (first,), cache = generated(model, [prompt], 8)
            (second,), _ = generated(model, [prompt + first], 16, past_key_values=cache)
            self.assertEqual(first + second, expected)

    def test_a_batch_with_padding_on_the_left(self):
        for folder, prompt, sharing_map, expected in self.each():
            for attention in ("sdpa", "eager"):
                model = loaded(folder, sharing_map, attention)
                ids = torch.tensor([[0] * 5 + prompt, prompt[:5] + prompt])
                mask = torch.ones_like(ids)
                mask[0, :5] = 0
                told = model.generate(ids, attention_mask=mask, max_new_tokens=24, do_sample=False, eos_token_id=None,
                                      pad_token_id=0)
                self.assertEqual(told[0, ids.shape[1]:].tolist(), expected)

    def test_attention_weights_and_hidden_states_are_told(self):
        for folder, prompt, sharing_map, _ in self.each():
            model = loaded(folder, sharing_map, "eager")
            told = model(torch.tensor([prompt]), output_attentions=True, output_hidden_states=True)
            self.assertEqual(len(told.attentions), len(sharing_map))
            self.assertEqual(len(told.hidden_states), len(sharing_map) + 1)

    def test_compiled(self):
        folder, prompt, sharing_map, expected = next(self.each())
        model = loaded(folder, sharing_map)
        model.forward = torch.compile(model.forward, backend="eager", fullgraph=True)
        self.assertEqual(generated(model, [prompt])[0], [expected])


class Training(Case):
    def golden(self, name="llama31-gqa", which="stride2"):
        golden = json.loads((GOLDEN / name / "golden.json").read_text())
        return golden, next(case for case in golden["maps"] if case["name"] == which)

    def test_gradients_with_and_without_checkpointing(self):
        for name in ("llama31-gqa", "qwen3-qknorm", "mistral-swa"):
            golden, case = self.golden(name)
            for checkpointing in (False, True):
                with self.subTest(model=name, checkpointing=checkpointing):
                    model = loaded(GOLDEN / name, case["src"]).train()
                    if checkpointing:
                        model.gradient_checkpointing_enable()
                    ids = torch.tensor([golden["input_ids"][0]])
                    loss = model(ids, labels=ids).loss
                    self.assertAlmostEqual(loss.item(), case["fp32"]["nll"][0], delta=2e-5)
                    loss.backward()
                    for parameter_name, parameter in model.named_parameters():
                        expected = case["fp32"]["grad_l2"].get(parameter_name, 0)
                        norm = 0 if parameter.grad is None else parameter.grad.norm().item()
                        self.assertAlmostEqual(norm, expected, delta=1e-4 * max(expected, 1e-2), msg=parameter_name)
                        self.assertEqual(parameter.requires_grad, parameter_name not in case["no_grad"], parameter_name)

    def test_reentrant_checkpointing_is_refused(self):
        model = loaded(GOLDEN / "llama31-gqa", [0, 0, 2, 2, 4, 4])
        with self.assertRaisesRegex(ValueError, "use_reentrant"):
            model.gradient_checkpointing_enable({"use_reentrant": True})

    def test_an_adapter_of_peft_is_read_by_strata(self):
        import peft

        golden, case = self.golden("qwen3-qknorm")
        folder = GOLDEN / "qwen3-qknorm"
        model = peft.get_peft_model(loaded(folder, case["src"]), peft.LoraConfig(
            r=4, lora_alpha=8, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"]))
        model.train()
        ids = torch.tensor([golden["input_ids"][0]])
        optimizer = torch.optim.AdamW((each for each in model.parameters() if each.requires_grad), lr=2e-2)
        losses = []
        for _ in range(8):
            loss = model(input_ids=ids, labels=ids).loss
            losses.append(loss.item())
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        self.assertLess(losses[-1], losses[0] - 0.5)
        model.save_pretrained(self.path / "adapter")
        with torch.no_grad():
            (ours,), _ = generated(model.eval(), [golden["prompt_ids"]])
        self.assertEqual(ours, greedy(folder, golden["prompt_ids"], 24, case["src"], "--adapter", self.path / "adapter"))

    def test_trl_trains_and_what_it_saves_is_whole(self):
        import datasets
        import trl

        sharing_map = [layer - layer % 2 for layer in range(12)]
        strata("export", SAMPLE, "--map", as_text(sharing_map), "--dtype", "float32", "--remote-code", self.path / "half")
        model = AutoModelForCausalLM.from_pretrained(self.path / "half", trust_remote_code=True, dtype=torch.float32)
        rows = [{"input_ids": prompt, "labels": prompt} for prompt in prompts_of(SAMPLE, 8, length=48)]
        out = self.path / "trained"
        arguments = trl.SFTConfig(output_dir=str(out), max_steps=4, per_device_train_batch_size=4, learning_rate=1e-3,
                                  report_to=[], use_cpu=True, gradient_checkpointing=True, bf16=False, logging_steps=1,
                                  dataset_kwargs={"skip_prepare_dataset": True}, save_strategy="no", disable_tqdm=True)
        trainer = trl.SFTTrainer(model=model, args=arguments, train_dataset=datasets.Dataset.from_list(rows),
                                 processing_class=tokenizer_of_ids())
        with contextlib.redirect_stdout(io.StringIO()):
            trainer.train()
        losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
        self.assertLess(losses[-1], losses[0])
        trainer.save_model(str(out))
        again = AutoModelForCausalLM.from_pretrained(out, trust_remote_code=True, dtype=torch.float32)
        self.assertTrue(again.shares)
        self.assertEqual(config_of(out)["architectures"], ["LlamaForCausalLM"])
        prompt = prompts_of(SAMPLE, 1)[0]
        (answer,), cache = generated(again, [prompt])
        self.assertEqual(answer, greedy(out, prompt, 24, sharing_map))
        self.assertEqual(sum(layer.keys is not None for layer in cache.layers), 6)


def tokenizer_of_ids():
    """SFTTrainer wants a tokenizer for padding; the rows are ids already."""
    import tokenizers

    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizers.Tokenizer(tokenizers.models.WordLevel(
        vocabulary, unk_token="<unk>")), unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="</s>")


class RemoteCode(Case):
    def test_an_export_is_followed_by_auto_classes_and_by_strata_hf_alike(self):
        for name in ("llama31-gqa", "mistral-swa", "qwen2-bias", "qwen3-qknorm"):
            with self.subTest(model=name):
                out = self.path / name
                golden = json.loads((GOLDEN / name / "golden.json").read_text())
                case = next(case for case in golden["maps"] if case["name"] == "stride2")
                strata("export", GOLDEN / name, "--map", as_text(case["src"]), "--remote-code", out)
                self.assertEqual((out / "modeling_strata.py").read_bytes(),
                                 (ROOT / "packaging/python/strata_hf/modeling_strata.py").read_bytes())
                trusted = AutoModelForCausalLM.from_pretrained(out, trust_remote_code=True, dtype=torch.float32)
                stock = AutoModelForCausalLM.from_pretrained(out, trust_remote_code=False, dtype=torch.float32)
                for model in (trusted, loaded(out)):
                    (ids,), cache = generated(model, [golden["prompt_ids"]])
                    self.assertEqual(ids, case["fp32"]["greedy_ids"])
                    self.assertEqual(sum(layer.keys is not None for layer in cache.layers), len(set(case["src"])))
                (full,), _ = generated(stock, [golden["prompt_ids"]])
                self.assertEqual(full, golden["maps"][0]["fp32"]["greedy_ids"])
                self.assertFalse(hasattr(stock, "shares"))

    def test_what_strata_hf_saves_is_followed_too(self):
        sharing_map = [0, 0, 2, 2, 4, 4]
        model = loaded(GOLDEN / "llama31-gqa", sharing_map)
        model.save_pretrained(self.path / "saved")
        again = AutoModelForCausalLM.from_pretrained(self.path / "saved", trust_remote_code=True, dtype=torch.float32)
        prompt = prompts_of(GOLDEN / "llama31-gqa", 1)
        self.assertEqual(generated(again, prompt)[0], generated(model, prompt)[0])
        self.assertEqual(greedy(self.path / "saved", prompt[0], 24, sharing_map), generated(model, prompt)[0][0])


class Refusals(Case):
    def refused(self, kind, words, call):
        with self.assertRaises(kind) as caught:
            call()
        said = str(caught.exception)
        self.assertIn(words, said)
        self.assertNotIn("\n", said)

    def test_a_map_that_is_not_for_the_model(self):
        folder = GOLDEN / "llama31-gqa"
        for sharing_map, words in (([0, 0, 0], "is for 3 layers, but this model has 6"), ([0, 0, 3, 3, 3, 3], "reads layer 3;"),
                                   ([0, 0, 1, 1, 4, 4], "follows layer 0"), ([0, 0, -1, 0, 0, 0], "reads layer -1"),
                                   ([0, 0, True, 0, 0, 0], "reads layer True"), ([0, 0, 1.0, 0, 0, 0], "reads layer 1.0"),
                                   ("stride:2", "give a list")):
            with self.subTest(map=sharing_map):
                self.refused(ValueError, words, lambda: strata_hf.load(folder, map=sharing_map))

    def test_both_packages_say_the_same(self):
        from strata_vllm.sharing_map import read_map

        class Config:
            num_hidden_layers = 4

        def said(read, held):
            config = Config()
            config.strata = held
            try:
                return read(config)
            except ValueError as error:
                return str(error)

        for held in (None, {}, [], {"map": "full"}, {"map": [0, 0]}, {"map": [0, 0, 2, 2]}, {"map": [0, 0, 1, 1]},
                     {"map": [0, 2, 2, 2]}, {"map": [1, 1, 2, 2]}, {"map": [0, 0, "2", 2]}, {"map": [0, 0, False, 2]},
                     {"version": 2, "map": [0, 0, 2, 2]}, {"version": 1, "map": [0, 1, 2, 3]}):
            with self.subTest(held=held):
                self.assertEqual(said(modeling_strata.read_map, held), said(read_map, held))

    def test_a_cache_of_another_map(self):
        folder = GOLDEN / "llama31-gqa"
        prompt = prompts_of(folder, 1)
        _, cache = generated(loaded(folder, [0, 0, 0, 0, 0, 0]), prompt)
        model = loaded(folder, [0, 0, 2, 2, 4, 4])
        self.refused(ValueError, "begin with an empty cache", lambda: model(torch.tensor(prompt), past_key_values=cache))

    def test_a_family_without_maps(self):
        (self.path / "config.json").write_text('{"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}')
        self.refused(ValueError, "gpt2", lambda: strata_hf.load(self.path))

    def test_paged_attention(self):
        model = loaded(GOLDEN / "llama31-gqa", [0, 0, 2, 2, 4, 4])
        model.config._attn_implementation = "paged|sdpa"
        self.refused(NotImplementedError, "paged", lambda: model(torch.tensor([[1, 2]])))

    def test_pipeline_stages_that_part_followers_from_owners(self):
        from strata_vllm.sharing_map import check_stages

        check_stages([0, 0, 2, 2, 4, 4], [0, 2, 4])
        self.refused(ValueError, "(layer 3 from 2): set VLLM_PP_LAYER_PARTITION=2,4, or",
                     lambda: check_stages([0, 0, 2, 2, 4, 4], [0, 3]))
        self.refused(ValueError, "(layer 3 from 0, 4 from 0): no partition into 2 stages",
                     lambda: check_stages([0, 0, 0, 0, 0], [0, 3]))


class Harness(Case):
    def test_lm_eval_measures_a_map_as_strata_does(self):
        import lm_eval
        import lm_eval_client
        from lm_eval.tasks import TaskManager

        strata("export", SAMPLE, "--map", "retention:.5", "--remote-code", self.path / "half")
        data = self.path / "data"
        data.mkdir()
        lm_eval_client.write_data(data)
        measured = lm_eval.simple_evaluate(
            model="hf", tasks=["strata_choices"], batch_size=4, log_samples=True, bootstrap_iters=0, device="cpu",
            model_args={"pretrained": str(self.path / "half"), "trust_remote_code": True, "dtype": "float32",
                        "tokenizer": str(self.path / "half")},
            task_manager=TaskManager(include_path=str(data), include_defaults=False))
        ours = lm_eval_client.Strata(PROGRAM, str(SAMPLE)).choices(data, "retention:.5")
        theirs = measured["results"]["strata_choices"]
        lm_eval_client.compare("accuracy", theirs["acc,none"], ours["acc"])
        right = [float(sample["filtered_resps"][sample["doc"]["answer"]][0]) for sample in measured["samples"]["strata_choices"]]
        lm_eval_client.compare("log-likelihood, right choice", sum(right) / len(right), -ours["nll"] * ours["tokens"] / len(right))


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    print("transformers", transformers.__version__, "torch", torch.__version__, file=sys.stderr)
    unittest.main(verbosity=2)
