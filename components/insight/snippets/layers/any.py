import torch
from transformers import AutoModel, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModel.from_pretrained(MODEL)

# No head predicts tokens here, so no layer can be read as words: how similar are neighbouring layers?
texts = [TEXT, TEXT_PAIR] if TEXT_PAIR.strip() else [TEXT]
longest = min(512, TOKEN_LIMIT)
inputs = tokenizer(*texts, truncation=True, max_length=longest, return_tensors="pt")
if getattr(model.config, "marks_case", False):  # token types say which tokens have capitals
    places = tokenizer(*texts, truncation=True, max_length=longest, return_offsets_mapping=True)
    capitals = [
        int(sequence == 0 and any(map(str.isupper, TEXT[start:end])))
        for sequence, (start, end) in zip(places.sequence_ids(), places["offset_mapping"])
    ]
    inputs["token_type_ids"] = torch.tensor([capitals])
with torch.inference_mode():
    output = model(**inputs, output_hidden_states=True)
states = output.get("hidden_states") or output.encoder_hidden_states
for layer in range(1, len(states)):
    cosines = torch.cosine_similarity(states[layer - 1][0], states[layer][0], dim=-1)
    print(f"{cosines.mean():.4f}  layers {layer - 1} and {layer}")
