import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForCausalLM.from_pretrained(MODEL)

inputs = tokenizer(TEXT + TEXT_PAIR, truncation=True, max_length=min(512, TOKEN_LIMIT), return_tensors="pt")
with torch.inference_mode():
    states = model(inputs.input_ids, output_hidden_states=True).hidden_states

# The logit lens: what the last token's state in each layer says of the next token, as if no layer followed.
# The last of the states has been through the final norm already.
body = model.base_model
norm = getattr(body, "norm", getattr(body, "ln_f", None))
for layer, state in enumerate(states):
    with torch.inference_mode():
        if norm is not None and layer < len(states) - 1:
            state = norm(state)
        best = model.lm_head(state[0, -1]).softmax(-1).topk(LENS_TOP_K)
    for chance, token in zip(best.values.tolist(), best.indices.tolist()):
        print(f"{chance:.4f}  layer {layer}: {tokenizer.decode([token])!r}")
