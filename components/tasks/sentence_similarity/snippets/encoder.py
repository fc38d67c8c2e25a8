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
    mean = torch.cat(tokens).mean(dim=0)
    return mean if MEASURE == "dot" else torch.nn.functional.normalize(mean, dim=0)


vectors = torch.stack([embed(text) for text in [SOURCE, *SENTENCES]])
for sentence, vector in zip(SENTENCES, vectors[1:]):
    print(f"{float(vector @ vectors[0]):.4f}  {sentence}")
if MATRIX:
    for row in (vectors @ vectors.T).tolist():
        print("  ".join(f"{value:.4f}" for value in row))
