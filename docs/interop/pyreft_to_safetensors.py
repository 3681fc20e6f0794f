"""Turns the pickles of a folder that pyreft's ReftModel.save wrote into safetensors beside them, for `peft convert`.

    python pyreft_to_safetensors.py SAVED

Needs torch and safetensors. Loads tensors alone (weights_only), and removes each pickle once its tensors are written.
"""
import pathlib
import sys

import safetensors.torch
import torch

for pickle in pathlib.Path(sys.argv[1]).glob("intkey_*.bin"):
    tensors = torch.load(pickle, map_location="cpu", weights_only=True)
    safetensors.torch.save_file(
        {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()},
        str(pickle).removesuffix(".bin") + ".safetensors",
    )
    pickle.unlink()
