import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForSequenceClassification.from_pretrained(MODEL)
names = [model.config.id2label[index] for index in range(model.config.num_labels)]

# A long text is split into windows, whose logits are averaged over its tokens; of a pair, the second text.
texts = [TEXT, TEXT_PAIR] if TEXT_PAIR.strip() else [TEXT]
windows = tokenizer(
    *texts,
    truncation="only_second" if len(texts) == 2 else True,
    max_length=TOKEN_LIMIT,
    return_overflowing_tokens=True,
)
places = range(len(windows["input_ids"]))
own = [windows.sequence_ids(place).count(len(texts) - 1) for place in places]
weights = torch.tensor([max(1, count) for count in own], dtype=torch.float32)
names_of_inputs = [name for name in tokenizer.model_input_names if name in windows]
rows = [{name: torch.tensor([windows[name][place]]) for name in names_of_inputs} for place in places]
with torch.inference_mode():
    logits = torch.cat([model(**row).logits for row in rows])
mean = weights @ logits / weights.sum()

# One label fits (softmax over all) or several may (a sigmoid for each), as the checkpoint was trained.
trained = model.config.problem_type == "multi_label_classification"
several = len(names) == 1 or {"auto": trained, "one": False, "several": True}[MULTI_LABEL]
scores = mean.sigmoid() if several else mean.softmax(dim=0)
apply = {"softmax": lambda logits: logits.softmax(dim=0), "sigmoid": torch.sigmoid, "none": lambda logits: logits}
shown = apply[FUNCTION_TO_APPLY](mean) if FUNCTION_TO_APPLY != "auto" else scores
thresholds = getattr(model.config, "thresholds", None) or [0.5] * len(names)

ranked = scores.argsort(descending=True).tolist()
for index in ranked[: TOP_K or None]:
    print(f"{shown[index]:.4f}  {names[index]}")
candidates = ranked if several else ranked[:1]
least = [THRESHOLD or (thresholds[index] if several else 0.0) for index in candidates]
chosen = [names[index] for index, score in zip(candidates, least) if scores[index] >= score]
print("Fits:", ", ".join(chosen) or "none")
