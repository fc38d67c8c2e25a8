import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForSeq2SeqLM.from_pretrained(MODEL)

inputs = tokenizer(TEXT, return_tensors="pt")  # models of many tasks or languages are told which one here
inputs = {name: inputs[name] for name in ("input_ids", "attention_mask")}
if TEXT_PAIR.strip():
    written = tokenizer(text_target=TEXT_PAIR, add_special_tokens=False, return_tensors="pt").input_ids
    start = torch.tensor([[model.generation_config.decoder_start_token_id]])
    written = torch.cat([start, written], dim=1)[:, :512]
else:
    written = model.generate(**inputs, max_new_tokens=64, num_beams=4, do_sample=False, min_length=0)[:, :-1]

# The logit lens: what the last written token's state in each layer of the decoder says of the next token, as
# if no layer followed. The model's own head reads another layer's state in place of the last, which has been
# through the final norm already.
inputs["decoder_input_ids"] = written
with torch.inference_mode():
    states = model(**inputs, output_hidden_states=True).decoder_hidden_states
decoder = model.get_decoder()
norm = getattr(decoder, "final_layer_norm", getattr(decoder, "layer_norm", None))
for layer, state in enumerate(states):
    if norm is not None and layer < len(states) - 1:
        with torch.inference_mode():
            state = norm(state)
    hook = decoder.register_forward_hook(
        lambda module, given, output: type(output)({**output, "last_hidden_state": state})
    )
    with torch.inference_mode():
        best = model(**inputs).logits[0, -1].softmax(-1).topk(LENS_TOP_K)
    hook.remove()
    for chance, token in zip(best.values.tolist(), best.indices.tolist()):
        print(f"{chance:.4f}  layer {layer}: {tokenizer.decode([token])!r}")
