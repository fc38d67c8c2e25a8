import json

import torch
from transformers import AutoModel, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModel.from_pretrained(MODEL)

embeddings = []
for place, text in enumerate(TEXTS):
    # A long text is read in windows; its mean is over the tokens of all of them.
    windows = tokenizer(text, truncation=True, max_length=TOKEN_LIMIT, return_overflowing_tokens=True)
    with torch.inference_mode():
        states = torch.cat(
            [model(input_ids=torch.tensor([ids])).last_hidden_state[0] for ids in windows["input_ids"]]
        )
    vectors = {"mean": states.mean(dim=0)[None], "first": states[:1], "none": states}[POOLING]
    if NORMALIZE:
        vectors = torch.nn.functional.normalize(vectors, dim=1)
    tokens = [token for ids in windows["input_ids"] for token in tokenizer.convert_ids_to_tokens(ids)]
    names = tokens if POOLING == "none" else [""]
    for name, vector in zip(names, vectors.tolist()):
        embeddings.append({"text": place, "token": name, "vector": [round(value, 6) for value in vector]})
print(json.dumps({"embeddings": embeddings, "dimensions": vectors.shape[1]}))
