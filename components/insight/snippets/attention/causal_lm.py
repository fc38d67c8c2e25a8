import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForCausalLM.from_pretrained(MODEL)
model.set_attn_implementation("eager")  # fused attention does not tell its weights

inputs = tokenizer(TEXT + TEXT_PAIR, truncation=True, max_length=512, return_tensors="pt")
with torch.inference_mode():
    output = model(**inputs, output_attentions=True)
weights = output.attentions[LAYER][0, HEAD]  # rows are the tokens that read
tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
for token, row in zip(tokens, weights):
    most = int(row.argmax())
    print(f"{token} reads most from {tokens[most]} ({float(row[most]):.4f})")
