import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModel.from_pretrained(MODEL)
model.float()  # some are stored in half precision

texts = [TEXT, TEXT_PAIR] if TEXT_PAIR.strip() else [TEXT]
if tokenizer.mask_token:
    texts = [text.replace("[MASK]", tokenizer.mask_token) for text in texts]
longest = min(512, TOKEN_LIMIT)
inputs = tokenizer(*texts, truncation=True, max_length=longest, return_tensors="pt")
if getattr(model.config, "marks_case", False):  # token types say which tokens have capitals
    places = tokenizer(*texts, truncation=True, max_length=longest, return_offsets_mapping=True)
    capitals = [
        int(sequence == 0 and any(map(str.isupper, TEXT[start:end])))
        for sequence, (start, end) in zip(places.sequence_ids(), places["offset_mapping"])
    ]
    inputs["token_type_ids"] = torch.tensor([capitals])

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
