import re

import torch
from sentencex import segment
from transformers import AutoModelForTokenClassification, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForTokenClassification.from_pretrained(MODEL)
keep, leave = model.config.label2id["keep"], model.config.label2id["leave"]

sentences = [" ".join(one.split()) for line in re.split(r"[\r\n]+", TEXT) for one in segment("en", line)]
sentences = [sentence for sentence in sentences if any(map(str.isalpha, sentence))]

# Windows of whole sentences.
windows, room = [[]], TOKEN_LIMIT - 2
for index, ids in enumerate(tokenizer(sentences, add_special_tokens=False)["input_ids"]):
    if sum(len(ids) for _, ids in windows[-1]) + len(ids) > room:
        windows.append([])
    windows[-1].append((index, ids))

# Each token votes for its sentence; the sentence has the mean.
votes = torch.zeros(len(sentences))
for window in windows:
    ids = [tokenizer.cls_token_id, *(token for _, ids in window for token in ids), tokenizer.sep_token_id]
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([ids])).logits[0]
    start = 1
    for index, ids in window:
        tokens = logits[start : start + len(ids)]
        votes[index] = (tokens[:, keep] - tokens[:, leave]).mean()
        start += len(ids)

# The best ones, of those that say the same the better one; titles and signatures only if there is no other.
ends = (".", "!", "?", "…", "”", '"', "。", "！", "？")
whole = [index for index, one in enumerate(sentences) if one.rstrip(")]’»").endswith(ends)]
words = [set(re.findall(r"\w+", sentence.casefold())) for sentence in sentences]
chosen = []
for index in sorted(whole or range(len(sentences)), key=lambda index: -votes[index]):
    mine = words[index]
    alike = [one for one in chosen if len(mine & words[one]) > 0.7 * min(len(mine), len(words[one]))]
    if len(chosen) < MAX_SENTENCES and not alike:
        chosen.append(index)
print(" ".join(sentences[index] for index in sorted(chosen)))
