import torch
from transformers import AutoModel, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModel.from_pretrained(MODEL)
model.set_attn_implementation("eager")  # fused attention does not tell its weights

together = [TEXT, *filter(str.strip, [TEXT_PAIR])]
inputs = tokenizer(*together, truncation=True, max_length=512, return_tensors="pt")
if getattr(model.config, "marks_case", False):  # token types say which tokens have capitals
    places = tokenizer(*together, truncation=True, max_length=512, return_offsets_mapping=True)
    capitals = [
        int(sequence == 0 and any(map(str.isupper, TEXT[start:end])))
        for sequence, (start, end) in zip(places.sequence_ids(), places["offset_mapping"])
    ]
    inputs["token_type_ids"] = torch.tensor([capitals])

with torch.inference_mode():
    output = model(**inputs, output_attentions=True)
weights = output.attentions[LAYER][0, HEAD]  # rows are the tokens that read
tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
for token, row in zip(tokens, weights):
    most = int(row.argmax())
    print(f"{token} reads most from {tokens[most]} ({float(row[most]):.4f})")
