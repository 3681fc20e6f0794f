#!/usr/bin/env python3
"""Load a model that this library merged in Hugging Face transformers, and compare the logits of both.

    java -jar peft.jar merge --model BASE --adapter ADAPTER --out MERGED
    java -jar peft.jar logits --model BASE --adapter ADAPTER --inputs IN.safetensors --out OURS.safetensors
    python load_merged.py --model MERGED --inputs IN.safetensors --logits OURS.safetensors

IN holds input_ids and attention_mask [rows, length], padded on the right; OURS holds logits, of the merged model or of the base
with the adapter. Real tokens are compared. The script fails if transformers misses a tensor or has one too many, or if a logit
differs by more than the tolerance times the largest.

Needs torch, transformers and safetensors; tried with transformers 5.18.
"""
import argparse
import json
import pathlib
import sys

import torch
import transformers
from safetensors.torch import load_file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="directory of the merged model")
    parser.add_argument("--inputs", type=pathlib.Path, required=True, help="safetensors file with input_ids, attention_mask")
    parser.add_argument("--logits", type=pathlib.Path, required=True, help="safetensors file with our logits")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of the largest logit (default: %(default)s)")
    arguments = parser.parse_args()

    architecture = json.loads((arguments.model / "config.json").read_text())["architectures"][0]
    model, loading = getattr(transformers, architecture).from_pretrained(arguments.model, output_loading_info=True)
    faults = [f"transformers says {what}: {sorted(names)}" for what, names in loading.items() if names]

    inputs = {
        name: value
        for name, value in load_file(arguments.inputs).items()
        if name in ("input_ids", "attention_mask", "token_type_ids")
    }
    mask = inputs.setdefault("attention_mask", torch.ones_like(inputs["input_ids"]))
    ours = load_file(arguments.logits)["logits"].float()
    if ours.dim() == 2 and model.config.pad_token_id is None:
        model.config.pad_token_id = 0  # transformers' decoders do not classify batches without one
    with torch.no_grad():
        theirs = model.eval().float()(**inputs).logits.float()
    if theirs.shape != ours.shape:
        faults.append(f"transformers' logits are {tuple(theirs.shape)}, ours {tuple(ours.shape)}")
    else:
        difference = (theirs - ours).abs()
        if difference.dim() == 3:  # one row of logits a token: padding does not count
            difference = difference * mask[..., None]
        relative = (difference.max() / theirs.abs().max()).item()
        print(f"largest difference {difference.max().item():.2e}, {relative:.2e} of the largest logit")
        if not relative <= arguments.tolerance:
            faults.append(f"logits differ by {relative:.2e} of the largest, more than {arguments.tolerance:.0e}")

    print("\n".join(faults) if faults else f"transformers loads {arguments.model.name} and computes the same")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
