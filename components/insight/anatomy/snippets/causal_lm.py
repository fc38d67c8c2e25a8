import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForCausalLM.from_pretrained(MODEL)

inputs = tokenizer(TEXT + TEXT_PAIR, truncation=True, max_length=min(512, TOKEN_LIMIT), return_tensors="pt")
inputs = {"input_ids": inputs.input_ids}

# A hook sees what a module gives; of several tensors the first is taken.
seen = []
hook = model.get_submodule(PART).register_forward_hook(lambda module, given, output: seen.append(output))
with torch.inference_mode():
    model(**inputs)
hook.remove()
output = seen[-1]
tensor = (output if isinstance(output, torch.Tensor) else output[0]).float()
print(PART or type(model).__name__, tuple(tensor.shape), f"mean {tensor.mean():.6f}")
np.save("tensor.npy", tensor.numpy())
