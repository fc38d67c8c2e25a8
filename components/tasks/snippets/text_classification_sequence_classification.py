import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForSequenceClassification.from_pretrained(MODEL)
names = [model.config.id2label[index] for index in range(model.config.num_labels)]

# A long text is split into windows, whose logits are averaged over its tokens.
windows = tokenizer(
    TEXT,
    truncation=True,
    max_length=TOKEN_LIMIT,
    return_overflowing_tokens=True,
    return_special_tokens_mask=True,
)
special = windows["special_tokens_mask"]
weights = torch.tensor([max(1, len(mask) - sum(mask)) for mask in special], dtype=torch.float32)
with torch.inference_mode():
    logits = torch.cat([model(torch.tensor([ids])).logits for ids in windows["input_ids"]])
mean = weights @ logits / weights.sum()

# One label fits (softmax over all) or several may (a sigmoid for each), as the checkpoint was trained.
trained = model.config.problem_type == "multi_label_classification"
several = len(names) == 1 or {"auto": trained, "one": False, "several": True}[MULTI_LABEL]
scores = mean.sigmoid() if several else mean.softmax(dim=0)
thresholds = getattr(model.config, "thresholds", None) or [0.5] * len(names)

ranked = scores.argsort(descending=True).tolist()
for index in ranked[: TOP_K or None]:
    print(f"{scores[index]:.4f}  {names[index]}")
candidates = ranked if several else ranked[:1]
least = [THRESHOLD or (thresholds[index] if several else 0.0) for index in candidates]
chosen = [names[index] for index, score in zip(candidates, least) if scores[index] >= score]
print("Fits:", ", ".join(chosen) or "none")
