import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForMaskedLM.from_pretrained(MODEL)

texts = [text.replace("[MASK]", tokenizer.mask_token) for text in (TEXT, TEXT_PAIR) if text.strip()]
inputs = tokenizer(*texts, truncation=True, max_length=min(512, TOKEN_LIMIT), return_tensors="pt")
ids = inputs.input_ids[0]
gaps = (ids == tokenizer.mask_token_id).nonzero().flatten().tolist()
place = gaps[0] if gaps else len(ids) - 2

# The logit lens: what each layer's state at the gap predicts, as if no layer followed. The model's own head
# reads another layer's state in place of the last; the last of the states has been through the final norm.
with torch.inference_mode():
    states = model(**inputs, output_hidden_states=True).hidden_states
norm = getattr(model.base_model, "final_norm", None)
for layer, state in enumerate(states):
    if norm is not None and layer < len(states) - 1:
        with torch.inference_mode():
            state = norm(state)
    hook = model.base_model.register_forward_hook(
        lambda module, given, output: type(output)({**output, "last_hidden_state": state})
    )
    with torch.inference_mode():
        best = model(**inputs).logits[0, place].softmax(-1).topk(LENS_TOP_K)
    hook.remove()
    for chance, token in zip(best.values.tolist(), best.indices.tolist()):
        print(f"{chance:.4f}  layer {layer}: {tokenizer.decode([token])!r}")
