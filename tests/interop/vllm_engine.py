#!/usr/bin/env python3
"""vllm_engine.py: vLLM engines one after the other, in this process. Each line of standard input is an order in JSON:
{"engine": {arguments of vllm.LLM}, "rounds": [[prompt ids, …], …], "tokens": N, "lora": adapter folder, "score": true to
tell the losses of the prompts}. A round is one batch, answered greedily. The answer is a line of standard output in the file
that --answers names: {"ids": [[…], …] by round, "cached": prompt tokens that the prefix cache held, "losses":
of each prompt by token, "blocks", "block_size"} or {"error": the last line of the exception}.
"""

import json
import os
import sys
import traceback

os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")  # else tensor parallelism wants a NUMA node for each process


def answer(order):
    from vllm import LLM, SamplingParams
    from vllm.lora.request import LoRARequest

    engine = LLM(skip_tokenizer_init=True, **order["engine"])
    sampling = SamplingParams(temperature=0, max_tokens=order.get("tokens", 16), ignore_eos=True, detokenize=False,
                              prompt_logprobs=0 if order.get("score") else None)
    lora = LoRARequest("adapter", 1, order["lora"]) if order.get("lora") else None
    told = {"ids": [], "cached": [], "losses": []}
    for prompts in order["rounds"]:
        outputs = engine.generate([{"prompt_token_ids": ids} for ids in prompts], sampling, use_tqdm=False, lora_request=lora)
        told["ids"].append([list(output.outputs[0].token_ids) for output in outputs])
        told["cached"].append([output.num_cached_tokens for output in outputs])
        for output in outputs if order.get("score") else ():
            scored = list(zip(output.prompt_token_ids, output.prompt_logprobs))[1:]
            told["losses"].append([-of[token].logprob for token, of in scored])
    cache = engine.llm_engine.vllm_config.cache_config
    return {**told, "blocks": cache.num_gpu_blocks, "block_size": cache.block_size}


def main():
    answers = open(sys.argv[sys.argv.index("--answers") + 1], "w", encoding="utf-8")
    for line in sys.stdin:
        order = json.loads(line)
        if not {"tensor_parallel_size", "pipeline_parallel_size"} & order["engine"].keys():
            os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
            order["engine"].setdefault("distributed_executor_backend", "uni")
        try:
            told = answer(order)
        except Exception as error:
            traceback.print_exc()
            told = {"error": str(error)}
        answers.write(json.dumps(told) + "\n")
        answers.flush()
        from vllm.distributed import cleanup_dist_env_and_memory

        cleanup_dist_env_and_memory()


if __name__ == "__main__":
    main()
