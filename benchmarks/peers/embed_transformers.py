"""Embeds a data set's test texts with transformers, as `peft bench embed` does: mean of the last hidden states over real tokens.

    python embed_transformers.py MODEL DATA [--batch 32] [--passes 3] [--threads 2] [--dtype float32]

DATA is a folder with test.csv whose first column is the text. Prints one line of JSON. Needs torch and transformers.
"""
import argparse
import csv
import json
import pathlib
import resource
import statistics
import time

import torch
import transformers

options = argparse.ArgumentParser()
options.add_argument("model")
options.add_argument("data")
options.add_argument("--batch", type=int, default=32)
options.add_argument("--passes", type=int, default=3)
options.add_argument("--threads", type=int, default=2)
options.add_argument("--dtype", default="float32")
a = options.parse_args()
torch.set_num_threads(a.threads)

with open(pathlib.Path(a.data) / "test.csv", newline="", encoding="utf-8") as lines:
    texts = [row[0] for row in csv.reader(lines)][1:]
tokenizer = transformers.PreTrainedTokenizerFast(
    tokenizer_file=str(pathlib.Path(a.model) / "tokenizer.json"), pad_token="[PAD]"
)
model = transformers.AutoModel.from_pretrained(a.model, dtype=getattr(torch, a.dtype)).eval()


def embed():
    vectors = []
    for begin in range(0, len(texts), a.batch):
        batch = tokenizer(texts[begin : begin + a.batch], padding=True, truncation=True, max_length=512, return_tensors="pt")
        hidden = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        vectors.append((hidden * mask).sum(1) / mask.sum(1))
    return torch.cat(vectors)


with torch.inference_mode():
    embed()
    seconds = []
    for _ in range(a.passes):
        began = time.perf_counter()
        result = embed()
        seconds.append(time.perf_counter() - began)
print(
    json.dumps(
        {
            "side": "transformers",
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "threads": a.threads,
            "workload": "embed",
            "dtype": a.dtype,
            "batch": a.batch,
            "rows": len(texts),
            "rows_per_s": round(len(texts) / statistics.median(seconds), 1),
            "first": [round(float(x), 5) for x in result[0, :4]],
            "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
    )
)
