#!/usr/bin/env python3
"""Load an adapter that this library saved in Hugging Face PEFT, and compare the logits of both.

    java -jar peft.jar logits --model BASE --adapter ADAPTER --inputs IN.safetensors --out OURS.safetensors
    python load_in_peft.py --model BASE --adapter ADAPTER --inputs IN.safetensors --logits OURS.safetensors

IN holds input_ids and attention_mask [rows, length], padded on the right; OURS holds logits. Real tokens are compared; of prompt
tokens PEFT's logits have rows in front, which are cut off. The script fails if PEFT warns, if PEFT leaves a tensor of the
file unused or would save other ones, or if a logit differs by more than the tolerance times the largest.

Needs torch, transformers, peft and safetensors; tried with peft 0.21 and transformers 5.18.
"""
import argparse
import json
import pathlib
import sys
import warnings

import torch
import transformers
from peft import PeftModel, get_peft_model_state_dict
from safetensors import safe_open
from safetensors.torch import load_file

# What PEFT saves beside an adapter's own tensors, and this library does not: second names of heads, copies of the base.
SURPLUS = (".modules_to_save.", ".original_module.", ".base_layer.weight")
# PEFT says this of its own files too, wherever an adapter holds one end of tied embeddings.
EXPECTED = "Model has `tie_word_embeddings=True` and a tied layer is part of the adapter"


def load(base, adapter):
    """The model in PEFT, and what PEFT had to say about it."""
    architecture = json.loads((base / "config.json").read_text())["architectures"][0]
    model = getattr(transformers, architecture).from_pretrained(base).eval().float()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        adapted = PeftModel.from_pretrained(model, adapter).eval()
    return adapted, [text for text in (str(warning.message) for warning in said) if not text.startswith(EXPECTED)]


def unused(model, tensors):
    """Names of tensors that PEFT does not have as the file has them, and of those it has besides."""
    own = {
        name: value
        for name, value in get_peft_model_state_dict(model).items()
        if not any(part in name for part in SURPLUS)
    }
    differing = [name for name in tensors if name not in own or not torch.equal(own[name].float(), tensors[name].float())]
    return differing + [name for name in own if name not in tensors]


def pooled_head(model, adapter, tensors, inputs):
    """Class logits of an encoder without a head of its own: PEFT loads the encoder's part, the head over the mean stands in the file."""
    with safe_open(adapter / "adapter_model.safetensors", "pt") as file:
        pooling = json.loads(file.metadata().get("peftj_task", "{}")).get("pooling")
    hidden, mask = model(**inputs).last_hidden_state, inputs["attention_mask"][..., None]
    if pooling == "first":
        pooled = hidden[:, 0]
    else:
        pooled = (hidden * mask).sum(1) / mask.sum(1)
    head = {name.rsplit(".", 1)[1]: value for name, value in tensors.items() if ".classifier." in name}
    return pooled @ head["weight"].T + head["bias"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="directory of the base model")
    parser.add_argument("--adapter", type=pathlib.Path, required=True, help="directory of the adapter")
    parser.add_argument("--inputs", type=pathlib.Path, required=True, help="safetensors file with input_ids, attention_mask")
    parser.add_argument("--logits", type=pathlib.Path, required=True, help="safetensors file with our logits")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of the largest logit (default: %(default)s)")
    arguments = parser.parse_args()

    config = json.loads((arguments.adapter / "adapter_config.json").read_text())
    tensors = load_file(arguments.adapter / "adapter_model.safetensors")
    inputs = {
        name: value
        for name, value in load_file(arguments.inputs).items()
        if name in ("input_ids", "attention_mask", "token_type_ids")
    }
    mask = inputs.setdefault("attention_mask", torch.ones_like(inputs["input_ids"]))
    ours = load_file(arguments.logits)["logits"].float()

    model, said = load(arguments.model, arguments.adapter)
    headless = config["task_type"] == "FEATURE_EXTRACTION"
    checked = {name: value for name, value in tensors.items() if not (headless and ".classifier." in name)}
    faults = [f"PEFT warns: {message}" for message in said]
    faults += [f"not the same in PEFT: {name}" for name in unused(model, checked)]

    with torch.no_grad():
        theirs = pooled_head(model, arguments.adapter, tensors, inputs) if headless else model(**inputs).logits.float()
    if theirs.dim() == 3:
        theirs = theirs[:, theirs.shape[1] - mask.shape[1] :]
    if theirs.shape != ours.shape:
        faults.append(f"PEFT's logits are {tuple(theirs.shape)}, ours {tuple(ours.shape)}")
    else:
        difference = (theirs - ours).abs()
        if difference.dim() == 3:  # one row of logits a token: padding does not count
            difference = difference * mask[..., None]
        relative = (difference.max() / theirs.abs().max()).item()
        print(f"largest difference {difference.max().item():.2e}, {relative:.2e} of the largest logit")
        if not relative <= arguments.tolerance:
            faults.append(f"logits differ by {relative:.2e} of the largest, more than {arguments.tolerance:.0e}")

    print("\n".join(faults) if faults else f"PEFT loads {arguments.adapter.name} without a word and computes the same")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
