import numpy as np
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForSeq2SeqLM.from_pretrained(MODEL)
model.float()  # some are stored in half precision

inputs = tokenizer(TEXT, return_tensors="pt")  # models of many tasks or languages are told which one here
inputs = {name: inputs[name] for name in ("input_ids", "attention_mask")}
if TEXT_PAIR.strip():
    written = tokenizer(text_target=TEXT_PAIR, add_special_tokens=False, return_tensors="pt").input_ids
    start = torch.tensor([[model.generation_config.decoder_start_token_id]])
    written = torch.cat([start, written], dim=1)[:, :512]
else:
    written = model.generate(**inputs, max_new_tokens=64, num_beams=4, do_sample=False, min_length=0)[:, :-1]
inputs["decoder_input_ids"] = written

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
