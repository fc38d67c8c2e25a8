import re

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


# Words, amounts and versions, e-mail addresses; the app also knows scripts that put no spaces between words.
words = [
    found.span()
    for found in re.finditer(r"\S+@\S+\w|\d+(?:[.,:'/]\d+)*|[^\W\d_]+(?:[.'][^\W\d_]+)*", CONTEXT)
]


def whole_words(start, end):
    text = CONTEXT[start:end]
    start, end = start + len(text) - len(text.lstrip()), start + len(text.rstrip())
    touched = [word for word in words if word[0] < end and start < word[1]]
    return min([start, *(word[0] for word in touched)]), max([end, *(word[1] for word in touched)])


logits, nothing = {}, float("inf")
for row, ids in enumerate(windows["input_ids"]):
    inputs = {name: torch.tensor([windows[name][row]]) for name in tokenizer.model_input_names}
    with torch.inference_mode():
        output = model(**inputs)
    begins, ends = output.start_logits[0].tolist(), output.end_logits[0].tolist()
    nothing = min(nothing, begins[0] + ends[0])  # of the first token: that nothing answers
    places = windows["offset_mapping"][row]
    tokens = [index for index, sequence in enumerate(windows.sequence_ids(row)) if sequence == 1]
    pairs = [
        (begins[first] + ends[last], first, last)
        for first in tokens
        for last in range(first, min(first + MAX_ANSWER_LENGTH, tokens[-1] + 1))
    ]
    for logit, first, last in sorted(pairs, reverse=True)[:200]:
        passage = whole_words(places[first][0], places[last][1])
        if passage[0] < passage[1]:
            logits[passage] = max(logit, logits.get(passage, float("-inf")))

# The probability of the passages with the twenty most likely texts, and of no answer if the model was
# trained with unanswerable questions.
ranked = sorted(logits.items(), key=lambda passage: (-passage[1], passage[0]))
texts = list(dict.fromkeys(CONTEXT[slice(*span)].casefold() for span, _ in ranked))[:20]
best = [(span, logit) for span, logit in ranked if CONTEXT[slice(*span)].casefold() in texts]
taught = hasattr(model.config, "no_answer_bias")
nothing = nothing + model.config.no_answer_bias if taught else float("-inf")
scores = torch.tensor([*(logit for _, logit in best), nothing], dtype=torch.float64)
*scores, no_answer = (scores / getattr(model.config, "answer_temperature", 1)).softmax(0).tolist()

answers = {}  # those with the same text count as one
for score, (span, _) in zip(scores, best):
    text = CONTEXT[slice(*span)].casefold()
    known, sum_so_far = answers.get(text, (span, 0))
    answers[text] = known, sum_so_far + score
shown = []  # those that overlap a more likely one are left out
for (start, end), score in sorted(answers.values(), key=lambda answer: -answer[1]):
    if all(end <= other[0] or other[1] <= start for other, _ in shown):
        shown.append(((start, end), score))
if not (ALLOW_NO_ANSWER and nothing > best[0][1]):
    for span, score in shown[:TOP_K]:
        print(f"{score:.4f}  {CONTEXT[slice(*span)]!r}")
print(f"{no_answer:.4f}  (no answer)")
