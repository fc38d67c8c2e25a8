import torch
from transformers import AutoModel, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModel.from_pretrained(MODEL)


@torch.inference_mode()
def embed(text):
    # Long texts are split into windows; the embedding is the mean over all their tokens.
    windows = tokenizer(text, truncation=True, max_length=TOKEN_LIMIT, return_overflowing_tokens=True)
    tokens = [model(input_ids=torch.tensor([ids])).last_hidden_state[0] for ids in windows["input_ids"]]
    return torch.nn.functional.normalize(torch.cat(tokens).mean(dim=0), dim=0)


source = embed(SOURCE)
for sentence in SENTENCES:
    print(f"{float(embed(sentence) @ source):.4f}  {sentence}")
