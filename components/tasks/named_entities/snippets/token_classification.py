import re
import unicodedata
from bisect import bisect
from itertools import groupby

import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForTokenClassification.from_pretrained(MODEL)
names = [model.config.id2label[index] for index in range(model.config.num_labels)]

# A long text is read in overlapping windows; each token counts in the one where it has most context.
overlap = min(STRIDE, (TOKEN_LIMIT - tokenizer.num_special_tokens_to_add()) // 2)
cut = {"truncation": True, "max_length": TOKEN_LIMIT, "stride": overlap, "return_overflowing_tokens": True}
windows = tokenizer(TEXT, **cut, return_offsets_mapping=True)
tokens, rows = [], []  # (start, end, word) in the text, and the probability of each label
for window, ids in enumerate(windows["input_ids"]):
    inputs = {"input_ids": torch.tensor([ids])}
    if getattr(model.config, "marks_case", False):  # reads lower case; the type of a token tells of capitals
        letters = [TEXT[start:end] for start, end in windows["offset_mapping"][window]]
        inputs["token_type_ids"] = torch.tensor([[any(map(str.isupper, each)) for each in letters]]).long()
    with torch.inference_mode():
        probabilities = model(**inputs).logits[0].softmax(dim=-1)
    own = [place for place, text in enumerate(windows.sequence_ids(window)) if text == 0]
    last = window == len(windows["input_ids"]) - 1
    for place in own[overlap - overlap // 2 if window else 0 : len(own) if last else len(own) - overlap // 2]:
        tokens.append((*windows["offset_mapping"][window][place], windows.word_ids(window)[place]))
        rows.append(probabilities[place])

# Pieces that get one label each: tokens, or words, without the punctuation around them.
pieces = [[place] for place in range(len(tokens))]
if AGGREGATION_STRATEGY not in ("none", "simple"):
    unspaced = ("CJK ", "HIRAGANA ", "KATAKANA ", "THAI ", "LAO ", "KHMER ", "MYANMAR ")

    def shape(letter):
        if letter.isspace():
            return " "
        if unicodedata.category(letter).startswith("P"):
            return "."
        return "1" if unicodedata.name(letter, "").startswith(unspaced) else "a"

    ends = [found.end() for found in re.finditer(r"a+(?:\.a+)*|\.|1", "".join(map(shape, TEXT)))]
    keys = [(word, bisect(ends, start)) for start, _, word in tokens]
    pieces = [list(places) for _, places in groupby(range(len(tokens)), keys.__getitem__)]
spans = []  # start, end, label, score
for piece in pieces:
    scores = torch.stack([rows[place] for place in piece])
    match AGGREGATION_STRATEGY:
        case "average":
            scores = scores.mean(dim=0)
        case "max":
            scores = scores[scores.amax(dim=1).argmax()]
        case _:
            scores = scores[0]
    best = int(scores.argmax())
    spans.append((tokens[piece[0]][0], tokens[piece[-1]][1], names[best], float(scores[best])))


def kind(label):  # "B-PER" is ("B", "PER"), "PER" is ("I", "PER")
    every = all(re.match("[BIESLU]-.", name, re.I) for name in names if name != "O")
    found = re.match("([BIESLU])-(.+)" if every else "([BI])-(.+)", label, re.I)
    return (found[1].upper(), found[2]) if found else ("I", label)


if AGGREGATION_STRATEGY != "none":  # neighbours of one kind are one span
    groups = []
    for span in spans:
        part, what = kind(span[2])
        last, before = kind(groups[-1][-1][2]) if groups else ("", None)
        if what == before and part not in "BSU" and last not in "ESLU":
            groups[-1].append(span)
        else:
            groups.append([span])
    spans = [(g[0][0], g[-1][1], kind(g[0][2])[1], sum(span[3] for span in g) / len(g)) for g in groups]


def is_part(place):  # of one character on the screen with what is before it
    letter = TEXT[place]
    joined = "\u200d" in (letter, TEXT[place - 1]) or "\U0001f3fb" <= letter <= "\U0001f3ff"
    return joined or unicodedata.category(letter)[0] == "M"


wanted = {kind(one.strip())[1].casefold() for one in LABELS.split(",") if one.strip()}
for start, end, label, score in spans:
    if label == "O" or score < MINIMUM_SCORE or wanted and kind(label)[1].casefold() not in wanted:
        continue
    end = start + len(TEXT[start:end].rstrip())
    start = end - len(TEXT[start:end].lstrip())
    while 0 < start < end and is_part(start):
        start -= 1
    while start < end < len(TEXT) and is_part(end):
        end += 1
    if start < end:
        print(f"{score:.4f}  {label}  {start}-{end}  {TEXT[start:end]!r}")
