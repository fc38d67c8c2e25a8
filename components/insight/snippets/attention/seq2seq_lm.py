import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForSeq2SeqLM.from_pretrained(MODEL)
model.set_attn_implementation("eager")  # fused attention does not tell its weights

inputs = tokenizer(TEXT, truncation=True, max_length=512, return_tensors="pt")
inputs = {name: inputs[name] for name in ("input_ids", "attention_mask")}
start, end = model.config.decoder_start_token_id, model.config.eos_token_id
if TEXT_PAIR.strip():
    written = [start, *tokenizer(text_target=TEXT_PAIR)["input_ids"]]
else:
    written = model.generate(**inputs, max_new_tokens=64, num_beams=4, do_sample=False)[0].tolist()
written = written[:1] + [id for id in written[1:] if id != end]

with torch.inference_mode():
    output = model(**inputs, decoder_input_ids=torch.tensor([written]), output_attentions=True)
kinds = {"encoder": output.encoder_attentions, "decoder": output.decoder_attentions}
weights = kinds.get(KIND, output.cross_attentions)[LAYER][0, HEAD]  # rows are the tokens that read
queries = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0] if KIND == "encoder" else written)
keys = tokenizer.convert_ids_to_tokens(written if KIND == "decoder" else inputs["input_ids"][0])
for token, row in zip(queries, weights):
    most = int(row.argmax())
    print(f"{token} reads most from {keys[most]} ({float(row[most]):.4f})")
