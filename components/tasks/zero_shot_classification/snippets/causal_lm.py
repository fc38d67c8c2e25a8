import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForCausalLM.from_pretrained(MODEL)


def ids(text):
    return tokenizer(text, add_special_tokens=False).input_ids


@torch.inference_mode()
def log_likelihood(context, continuation):
    # <|endoftext|> stood between documents in pretraining: what follows it begins a text.
    context = ids("<|endoftext|>") + context
    logprobs = model(torch.tensor([context + continuation])).logits[0].log_softmax(-1)
    return sum(logprobs[len(context) + i - 1, token] for i, token in enumerate(continuation))


before, after = HYPOTHESIS_TEMPLATE.split("{}")
lead = " " if before.endswith(" ") else ""  # a space belongs to the token after it
before = before.rstrip(" ")

# How much more likely does the text make a label than no text does or, where several may fit, than a neutral
# text of the same length? Texts that fit the model's limit are read whole.
labels = list(dict.fromkeys(label.strip() for label in LABELS))
neutral = ids(
    "This is a text. It says something about something. Somebody wrote it at some time, and somebody "
    "reads it now. There is nothing more to it than that. "
)
size = len(ids(TEXT))
neutral = (neutral * (size // len(neutral) + 1))[:size]
base = neutral + ids("\n" + before) if MULTI_LABEL else ids(before)
gained = []
for label in labels:
    continuation = ids(lead + label + after)
    with_text = log_likelihood(ids(TEXT) + ids("\n" + before), continuation)
    gained.append(with_text - log_likelihood(base, continuation))
gained = torch.tensor(gained)

scores = (gained - 1.0).sigmoid() if MULTI_LABEL else gained.softmax(dim=0)
for score, label in sorted(zip(scores.tolist(), labels), reverse=True):
    print(f"{score:.4f}  {label}")
