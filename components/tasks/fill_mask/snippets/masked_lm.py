import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForMaskedLM.from_pretrained(MODEL)
targets = [word.strip() for word in TARGETS.split(",") if word.strip()]

text = tokenizer(TEXT.replace("[MASK]", tokenizer.mask_token), return_tensors="pt").input_ids[0]
allowed = torch.ones(model.config.vocab_size, dtype=torch.bool)
allowed[tokenizer.all_special_ids] = False
if targets:  # those that are one token
    split = [tokenizer(f" {word}", add_special_tokens=False).input_ids for word in targets]
    wanted = [ids[0] for ids in split if len(ids) == 1 and ids[0] != tokenizer.unk_token_id]
    allowed[[token for token in range(len(allowed)) if token not in wanted]] = False

# Fill the gaps from left to right, those behind still open; the six most likely beginnings are kept.
filled = [(1.0, [], text)]
for gap in (text == tokenizer.mask_token_id).nonzero().flatten().tolist():
    longer = []
    for score, words, ids in filled[:6]:
        with torch.inference_mode():
            probabilities = model(input_ids=ids[None]).logits[0, gap].softmax(-1)
        best = probabilities.where(allowed, 0).topk(min(20, int(allowed.sum())))
        for probability, token in zip(best.values.tolist(), best.indices.tolist()):
            word = tokenizer.decode([token]).strip().removeprefix("##")
            longer.append((score * probability, [*words, word], ids.clone()))
            longer[-1][2][gap] = token
    filled = sorted(longer, key=lambda one: -one[0])[:20]

for score, words, _ in filled[:TOP_K]:
    print(f"{score:.4f}  {' / '.join(words)}")
