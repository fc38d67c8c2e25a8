import re

import torch
from sentencex import get_sentence_boundaries
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForSeq2SeqLM.from_pretrained(MODEL)

# How a model is told the languages depends on its family.
source, prefix, told = "en" if SOURCE == "auto" else SOURCE, "", {}
if hasattr(tokenizer, "src_lang"):  # of many languages: M2M100, mBART-50, NLLB
    codes = getattr(tokenizer, "lang_code_to_id", {})
    known = {code.split("_")[0]: code for code in codes}
    names = [known.get(language, FLORES[language]) for language in (source, TARGET)]
    tokenizer.src_lang = names[0]
    told = {"forced_bos_token_id": codes.get(names[1]) or tokenizer.convert_tokens_to_ids(names[1])}
elif hasattr(tokenizer, "target_lang"):  # Marian: its own source, its own target or several
    source = tokenizer.source_lang or source
    marks = [f">>{code}<<" for code in (TARGET, FLORES[TARGET][:3])]
    prefix = "".join(f"{mark} " for mark in marks if mark in tokenizer.supported_language_codes)
else:  # T5
    prefix = model.config.task_specific_params[f"translation_{source}_to_{TARGET}"]["prefix"]

beams = max(NUM_BEAMS, ALTERNATIVES)
# A syllable, a word, a phrase, a letter or digits again and again: small models go round in circles.
circles = re.compile(
    r"([^\W\d_]{3,8}|(?!en|er)[^\W\d_]{2})\1{2,}|\b(\w+(?:\W+\w+){0,7}?)(?:\W+\2\b){2,}"
    r"|([^\d\s._=*#-])\3{4,}|(\d)\4{7,}|(\d{2,8})\5{4,}",
    re.IGNORECASE,
)


@torch.inference_mode()
def translate(sentence, **stricter):
    """The likeliest translations; sentences are read one at a time, within the model's limit."""
    loud = sentence.isupper() and len(sentence.split()) > 1  # models know small letters far better
    read = sentence.capitalize() if loud else sentence
    inputs = tokenizer(prefix + read, return_tensors="pt").to(model.device)
    inputs = {name: inputs[name] for name in ("input_ids", "attention_mask")}
    longest = 64 * (1 + inputs["input_ids"].shape[1] // 32)
    ids = model.generate(
        **inputs,
        **told,
        max_new_tokens=min(longest, getattr(model.config, "max_position_embeddings", 512)),
        num_beams=beams,
        num_return_sequences=max(ALTERNATIVES, 1),
        do_sample=False,
        **({"length_penalty": LENGTH_PENALTY} if beams > 1 else {}),
        **stricter,
    )
    texts = [tokenizer.decode(row[1 + len(told) :], skip_special_tokens=True).strip() for row in ids]
    texts = [text.upper() for text in texts] if loud else texts
    return [text for text in texts if text and (circles.search(sentence) or not circles.search(text))]


translation, alternatives = [], []
for line in re.split(r"([\r\n]+)", TEXT):
    for found in get_sentence_boundaries(source, line):
        sentence = re.sub(r"^([-*+•–—#>·]+|\(?\w{1,3}[.)])\s+(?=\S)", "", found["text"].strip())  # no bullet
        if any(map(str.isalpha, sentence)):
            texts = translate(sentence) or translate(sentence, no_repeat_ngram_size=3, repetition_penalty=1.3)
            alternatives.append(texts)
            translation.append(found["text"].replace(sentence, texts[0] if texts else sentence))
        else:
            translation.append(found["text"])
print("".join(translation))
if ALTERNATIVES:
    for row in alternatives:
        print("\n".join(f"  {one}" for one in row))
