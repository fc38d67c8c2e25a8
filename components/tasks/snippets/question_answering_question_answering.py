import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForQuestionAnswering.from_pretrained(MODEL)

# A long context is read in windows that overlap.
asked = len(tokenizer(QUESTION.strip(), add_special_tokens=False).input_ids)
room = TOKEN_LIMIT - asked - tokenizer.num_special_tokens_to_add(pair=True)
windows = tokenizer(
    QUESTION.strip(),
    CONTEXT,
    truncation="only_second",
    max_length=TOKEN_LIMIT,
    stride=min(STRIDE, room // 2),
    return_overflowing_tokens=True,
    return_offsets_mapping=True,
)


def of_a_word(character):
    return character.isalnum() and (character.isdecimal() or character.lower() != character.upper())


def whole_words(start, end):
    text = CONTEXT[start:end]
    start, end = start + len(text) - len(text.lstrip()), start + len(text.rstrip())
    while 0 < start < end and of_a_word(CONTEXT[start - 1]) and of_a_word(CONTEXT[start]):
        start -= 1
    while start < end < len(CONTEXT) and of_a_word(CONTEXT[end - 1]) and of_a_word(CONTEXT[end]):
        end += 1
    return start, end


logits, nothing = {}, float("inf")
for row, ids in enumerate(windows["input_ids"]):
    inputs = {name: torch.tensor([windows[name][row]]) for name in tokenizer.model_input_names}
    with torch.inference_mode():
        output = model(**inputs)
    begins, ends = output.start_logits[0].tolist(), output.end_logits[0].tolist()
    nothing = min(nothing, begins[0] + ends[0])  # of the first token: that nothing answers
    places = windows["offset_mapping"][row]
    tokens = [index for index, sequence in enumerate(windows.sequence_ids(row)) if sequence == 1]
    for first in tokens:
        for last in range(first, min(first + MAX_ANSWER_LENGTH, tokens[-1] + 1)):
            passage = whole_words(places[first][0], places[last][1])
            if passage[0] < passage[1]:
                logits[passage] = max(begins[first] + ends[last], logits.get(passage, float("-inf")))

# The likeliest passage of each text stands for all that have it.
texts = {}
for (start, end), logit in sorted(logits.items(), key=lambda passage: (-passage[1], passage[0])):
    texts.setdefault(CONTEXT[start:end].casefold(), (CONTEXT[start:end], logit))
best = list(texts.values())[:20]

# The probability of the twenty likeliest, and of no answer if the model was taught to give none.
taught = hasattr(model.config, "no_answer_bias")
nothing = nothing + model.config.no_answer_bias if taught else float("-inf")
scores = torch.tensor([*(logit for _, logit in best), nothing], dtype=torch.float64)
*scores, no_answer = (scores / getattr(model.config, "answer_temperature", 1)).softmax(0).tolist()
if not (ALLOW_NO_ANSWER and nothing > best[0][1]):
    for score, (text, _) in list(zip(scores, best))[:TOP_K]:
        print(f"{score:.4f}  {text!r}")
print(f"{no_answer:.4f}  (no answer)")
