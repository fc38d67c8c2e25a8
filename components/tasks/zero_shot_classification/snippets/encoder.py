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


text = embed(TEXT)
labels = list(dict.fromkeys(label.strip() for label in LABELS))
cosines = torch.stack([embed(HYPOTHESIS_TEMPLATE.replace("{}", label)) @ text for label in labels])

# The scale makes scores neither flat nor certain; a label that fits has a cosine above 0.1.
scores = (20 * (cosines - 0.1)).sigmoid() if MULTI_LABEL else (20 * cosines).softmax(dim=0)
for score, label in sorted(zip(scores.tolist(), labels), reverse=True):
    print(f"{score:.4f}  {label}")
