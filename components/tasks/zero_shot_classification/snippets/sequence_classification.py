import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForSequenceClassification.from_pretrained(MODEL)

classes = {name.lower(): index for index, name in model.config.id2label.items()}
entails = classes["entailment"]
others = [index for index in classes.values() if index != entails]
against = [classes["contradiction"]] if "contradiction" in classes else others


@torch.inference_mode()
def classify(hypothesis):
    # Long texts are split into windows, each is compared with the hypothesis.
    windows = tokenizer(
        TEXT,
        hypothesis,
        truncation="only_first",
        max_length=TOKEN_LIMIT,
        return_overflowing_tokens=True,
        padding=True,
        return_tensors="pt",
    )
    windows.pop("overflow_to_sample_mapping")
    return model(**windows).logits.mean(dim=0)


labels = list(dict.fromkeys(label.strip() for label in LABELS))
logits = torch.stack([classify(HYPOTHESIS_TEMPLATE.replace("{}", label)) for label in labels])
scores = logits[:, [*against, entails]].softmax(1)[:, -1] if MULTI_LABEL else logits[:, entails].softmax(0)
for score, label in sorted(zip(scores.tolist(), labels), reverse=True):
    print(f"{score:.4f}  {label}")
