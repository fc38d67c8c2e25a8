import re

import torch
from sentencex import segment
from transformers import AutoModelForCausalLM, AutoTokenizer, NoRepeatNGramLogitsProcessor

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForCausalLM.from_pretrained(MODEL)

# A text of a few pages is read whole; the app summarizes longer ones section by section.
count = "one short sentence" if MAX_SENTENCES == 1 else f"{MAX_SENTENCES} short sentences"
messages = [
    {"role": "system", "content": "You summarize texts. Say only what the text says, in its own words."},
    {"role": "user", "content": f"Summarize in {count}:\n\n{TEXT.strip()}"},
]
prompt = tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, tokenize=False, enable_thinking=False
)
ids = tokenizer(prompt, add_special_tokens=False, return_tensors="pt").input_ids


def unrepeated(row, scores):  # among what is written: the text itself may be quoted
    return NoRepeatNGramLogitsProcessor(NO_REPEAT_NGRAM_SIZE)(row[:, ids.shape[1] :], scores)


longest = min(32 + 48 * MAX_SENTENCES, TOKEN_LIMIT // 2)
output = model.generate(
    ids,
    attention_mask=torch.ones_like(ids),
    max_new_tokens=longest,
    min_length=0,
    do_sample=False,
    num_beams=1,
    logits_processor=[unrepeated] if NO_REPEAT_NGRAM_SIZE else [],
)[0, ids.shape[1] :]
ended = bool((output[: longest - 1] == model.generation_config.eos_token_id).any())
written = tokenizer.decode(output, skip_special_tokens=True).strip()


def words(text):
    found = re.findall(r"\d+(?:[.,:/]\d+)*|[^\W\d_]+(?:[-’'][^\W\d_]+)*\w*", text)
    return [re.sub(r"[’'][sS]$", "", word) for word in found]


def invented(sentence):
    """Names, which have a capital letter, and numbers that the text lacks."""
    known = {part for word in words(TEXT.casefold()) for part in (word, *re.split("[-’']", word))}
    first, *rest = words(sentence)
    claims = [word for word in [first, *rest] if word[0].isdigit()] + [word for word in rest if word[0].isupper()]
    return [word for word in claims if word != "I" and word.casefold() not in known]


# A syllable, a word, a phrase, a letter or digits again and again: small models go round in circles.
circles = re.compile(
    r"([^\W\d_]{3,8}|(?!en|er)[^\W\d_]{2})\1{2,}|\b(\w+(?:\W+\w+){0,7}?)(?:\W+\2\b){2,}"
    r"|([^\d\s._=*#-])\3{4,}|(\d)\4{7,}|(\d{2,8})\5{4,}",
    re.IGNORECASE,
)

# The first sentences that the text supports; the app also knows the numbers two to twenty in words.
sentences = [" ".join(one.split()) for line in re.split(r"[\r\n]+", written) for one in segment("en", line)]
sentences = [one.replace("*", "") for one in sentences if any(map(str.isalpha, one))]
if not ended and len(sentences) > 1 and sentences[-1][-1] not in '.!?…”"。':
    del sentences[-1]
kept = dict.fromkeys(one for one in sentences if not one.endswith(":") and not invented(one))
if not circles.search(TEXT):
    kept = [one for one in kept if not circles.search(one)]
if "summary" not in TEXT.lower():
    kept = [one for one in kept if "summary" not in one.lower()]
if not kept:  # then the text's first
    ended = [one for one in segment("en", TEXT) if one.rstrip().endswith((".", "!", "?"))]
    kept = [" ".join(one.split()) for one in ended[:1]]
print(" ".join([*kept][:MAX_SENTENCES]))
