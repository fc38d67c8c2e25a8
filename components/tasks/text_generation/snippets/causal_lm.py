import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForCausalLM.from_pretrained(MODEL)

# Control tokens in the texts stay text, and a space at their end is left to the next token.
if MODE == "chat" and tokenizer.chat_template:
    messages = [{"role": "system", "content": SYSTEM}] if SYSTEM.strip() else []
    messages += MESSAGES or [{"role": "user", "content": PROMPT}]
    prompt = tokenizer.apply_chat_template(
        messages,
        add_generation_prompt=True,
        sanitize_control_tokens=True,
        return_dict=False,
        enable_thinking=False,
    )
else:
    prompt = tokenizer(PROMPT.rstrip(" "), split_special_tokens=True).input_ids
begun = tokenizer(BEGIN.rstrip(" "), add_special_tokens=False, split_special_tokens=True).input_ids
ids = torch.tensor([prompt + begun])

if NUM_BEAMS > 1:
    strategy = {"do_sample": False, "num_beams": NUM_BEAMS}
elif TEMPERATURE > 0:
    strategy = {"do_sample": True, "temperature": TEMPERATURE, "top_k": TOP_K, "top_p": TOP_P}
    strategy |= {"min_p": MIN_P or None, "typical_p": TYPICAL_P}
else:
    strategy = {"do_sample": False}
if stops := [line.replace("\\n", "\n") for line in STOP.splitlines()]:
    strategy |= {"stop_strings": stops, "tokenizer": tokenizer}
torch.manual_seed(SEED)
output = model.generate(
    ids,
    attention_mask=torch.ones_like(ids),
    max_new_tokens=MAX_NEW_TOKENS,
    repetition_penalty=REPETITION_PENALTY,
    **strategy,
)
text = tokenizer.decode(output[0, len(prompt) :], skip_special_tokens=True)
print(min((text.partition(stop)[0] for stop in stops), key=len, default=text))
