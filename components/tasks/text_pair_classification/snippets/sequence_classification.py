import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForSequenceClassification.from_pretrained(MODEL)
names = [model.config.id2label[index] for index in range(model.config.num_labels)]

# The longer text is read in windows, each with the whole of the shorter one; their logits are averaged.
first, second = tokenizer([TEXT, TEXT_PAIR], add_special_tokens=False, verbose=False)["input_ids"]
longer = 0 if len(first) > len(second) else 1
windows = tokenizer(
    TEXT,
    TEXT_PAIR,
    truncation="only_second" if longer else "only_first",
    max_length=TOKEN_LIMIT,
    return_overflowing_tokens=True,
)
places = range(len(windows["input_ids"]))
own = [windows.sequence_ids(place).count(longer) for place in places]
weights = torch.tensor([max(1, count) for count in own], dtype=torch.float32)
names_of_inputs = [name for name in tokenizer.model_input_names if name in windows]
rows = [{name: torch.tensor([windows[name][place]]) for name in names_of_inputs} for place in places]
with torch.inference_mode():
    logits = torch.cat([model(**row).logits for row in rows])
mean = weights @ logits / weights.sum()

several = model.config.problem_type == "multi_label_classification" or len(names) == 1
function = ("sigmoid" if several else "softmax") if FUNCTION_TO_APPLY == "auto" else FUNCTION_TO_APPLY
scores = {"softmax": mean.softmax(dim=0), "sigmoid": mean.sigmoid(), "none": mean}[function]
for index in scores.argsort(descending=True).tolist()[: TOP_K or None]:
    print(f"{scores[index]:.4f}  {names[index]}")
