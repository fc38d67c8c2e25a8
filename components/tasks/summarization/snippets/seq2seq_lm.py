import re

import torch
from sentencex import segment
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForSeq2SeqLM.from_pretrained(MODEL)

# T5 is told its task in words. Texts that fit the model's limit are read whole; the app cuts longer ones.
tasks = getattr(model.config, "task_specific_params", None) or {}
prefix = tasks.get("summarization", {}).get("prefix", "")
inputs = tokenizer(prefix + TEXT.strip(), return_tensors="pt")
longest = min(32 + 48 * MAX_SENTENCES, TOKEN_LIMIT // 2)
with torch.inference_mode():
    output = model.generate(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        max_new_tokens=longest,
        min_length=0,
        do_sample=False,
        num_beams=NUM_BEAMS,
        no_repeat_ngram_size=NO_REPEAT_NGRAM_SIZE,
    )
ended = bool((output[0, 1:longest] == model.generation_config.eos_token_id).any())
written = tokenizer.decode(output[0, 1:], skip_special_tokens=True).strip()


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
