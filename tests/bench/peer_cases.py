#!/usr/bin/env python3
"""What peers.py measures and the peers' own programs do not: one JSON line a call.

    peer_cases.py first-token FILE.gguf --peers DIR     llama.cpp: seconds from nothing to the first token, file read, not mapped
    peer_cases.py batch FILE.gguf --peers DIR           llama.cpp: tokens a second of --sequences sequences that step together
    peer_cases.py vllm FOLDER                           vLLM: prefill, and decoding of --sequences sequences
"""

import argparse
import ctypes
import json
import os
import sys
import time
from types import SimpleNamespace

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [folder for folder in sys.path if folder != HERE]  # its tokenizers.py would hide the package of that name


def prompt_ids(count, vocab, start=0):
    return [(start + i * 7919 + 13) % vocab for i in range(count)]


def llama_engine(args, size, load):
    """llama.cpp with the peers' own settings."""
    sys.path.insert(0, args.peers)
    import bench_llama_cpp

    settings = SimpleNamespace(load=load, batch=512, ubatch=512, threads=args.threads, threads_batch=None, flash="auto", kv="f16")
    return bench_llama_cpp.Engine(args.model, size, settings)


def first_token(args):
    sys.path.insert(0, args.peers)
    import bench_llama_cpp  # noqa: F401  Python's own start is not llama.cpp's

    started = time.perf_counter()
    engine = llama_engine(args, args.context, "read")
    engine.feed(prompt_ids(args.prompt, engine.vocab))
    engine.logits().argmax()
    return {"first_token_s": time.perf_counter() - started}


def batch(args):
    sys.path.insert(0, args.peers)
    import llama_cpp as lc
    import numpy as np

    parameters = lc.llama_model_default_params()
    model = lc.llama_model_load_from_file(args.model.encode(), parameters)
    settings = lc.llama_context_default_params()
    settings.n_seq_max = args.sequences
    settings.n_ctx = args.sequences * (args.context + 2 * args.decode)
    settings.n_threads = settings.n_threads_batch = args.threads
    context = lc.llama_init_from_model(model, settings)
    vocab = lc.llama_vocab_n_tokens(lc.llama_model_get_vocab(model))
    tokens = lc.llama_batch_init(max(512, args.sequences), 0, 1)

    def step(rows):  # (id, position, sequence, whether its logits are wanted)
        tokens.n_tokens = len(rows)
        for i, (token, position, sequence, wanted) in enumerate(rows):
            tokens.token[i], tokens.pos[i], tokens.n_seq_id[i], tokens.seq_id[i][0], tokens.logits[i] = token, position, 1, sequence, wanted
        if lc.llama_decode(context, tokens):
            raise SystemExit("llama_decode failed")
        lc.llama_synchronize(context)

    for sequence in range(args.sequences):
        ids = prompt_ids(args.context, vocab, sequence)
        for start in range(0, len(ids), 512):
            step([(token, start + i, sequence, False) for i, token in enumerate(ids[start:start + 512])])
    last = [5] * args.sequences
    for round_ in range(2):  # the first is a warm-up
        started = time.perf_counter()
        for i in range(args.decode):
            position = args.context + round_ * args.decode + i
            step([(last[sequence], position, sequence, True) for sequence in range(args.sequences)])
            for sequence in range(args.sequences):
                logits = ctypes.cast(lc.llama_get_logits_ith(context, sequence), ctypes.POINTER(ctypes.c_float))
                last[sequence] = int(np.ctypeslib.as_array(logits, (vocab,)).argmax())
        seconds = time.perf_counter() - started
    return {"decode_tok_s": args.sequences * args.decode / seconds}


def vllm(args):
    """Decoding is timed as the difference of two answers to the same prompts, so that their prefill cancels out."""
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "4")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    from vllm import LLM, SamplingParams

    engine = LLM(model=args.model, dtype="bfloat16", skip_tokenizer_init=True, enable_prefix_caching=False, max_num_seqs=args.sequences,
                 max_model_len=max(args.prompt, args.context) + args.decode + 1)
    with open(os.path.join(args.model, "config.json"), encoding="utf-8") as file:
        vocab = json.load(file)["vocab_size"]

    def seconds(prompts, count):
        settings = SamplingParams(temperature=0, max_tokens=count, min_tokens=count, ignore_eos=True, detokenize=False)
        started = time.perf_counter()
        answers = engine.generate([{"prompt_token_ids": ids} for ids in prompts], settings, use_tqdm=False)
        if any(len(answer.outputs[0].token_ids) != count for answer in answers):
            raise SystemExit("vLLM stopped early")
        return time.perf_counter() - started

    prompts = [prompt_ids(args.context, vocab, sequence) for sequence in range(args.sequences)]
    one = [prompt_ids(args.prompt, vocab)]
    seconds(one, 1), seconds(prompts, 2)
    prefill = seconds(one, 1)
    decode = seconds(prompts, args.decode + 1) - seconds(prompts, 1)
    return {"prefill_tok_s": args.prompt / prefill, "decode_tok_s": args.sequences * args.decode / decode}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cases = {"first-token": first_token, "batch": batch, "vllm": vllm}
    parser.add_argument("case", choices=cases)
    parser.add_argument("model")
    parser.add_argument("--peers", help="folder of bench_llama_cpp.py")
    parser.add_argument("--prompt", type=int, default=16)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--decode", type=int, default=32)
    parser.add_argument("--sequences", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    print(json.dumps(cases[args.case](args)), flush=True)


if __name__ == "__main__":
    main()
