import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForCausalLM.from_pretrained(MODEL)

text = PROMPT
if MODE == "chat" and tokenizer.chat_template:
    messages = [{"role": "system", "content": SYSTEM}] if SYSTEM.strip() else []
    messages += [{"role": "user", "content": PROMPT}]
    text = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=False, enable_thinking=False
    )
prompt = tokenizer(text, return_tensors="pt", add_special_tokens=text is PROMPT)

torch.manual_seed(SEED)
sampling = {"do_sample": True, "temperature": TEMPERATURE, "top_k": TOP_K, "top_p": TOP_P}
output = model.generate(
    **prompt,
    max_new_tokens=MAX_NEW_TOKENS,
    repetition_penalty=REPETITION_PENALTY,
    **(sampling if TEMPERATURE > 0 else {"do_sample": False}),
)
new_tokens = output[0, prompt.input_ids.shape[1] :]
print(tokenizer.decode(new_tokens, skip_special_tokens=True))
