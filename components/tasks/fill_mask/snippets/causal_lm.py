import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForCausalLM.from_pretrained(MODEL)
parts = TEXT.split("[MASK]")  # read whole here; the app reads 256 tokens before and 64 after the gaps
targets = [word.strip() for word in TARGETS.split(",") if word.strip()]


def ids(text):
    # <|endoftext|> stood between documents in pretraining: what follows it begins a text.
    return tokenizer("<|endoftext|>" + text, add_special_tokens=False).input_ids


@torch.inference_mode()
def logprobs(tokens):
    return model(torch.tensor([tokens])).logits[0].log_softmax(-1)


def log_likelihood(tokens):
    return float(logprobs(tokens)[:-1].gather(1, torch.tensor(tokens[1:])[:, None]).sum())


def join(words):
    return parts[0] + "".join(word + part for word, part in zip(words, parts[1:]))


def is_word(text):
    return text != "" and all(character.isalpha() or character.isdecimal() for character in text)


def propose(before, text, count, growing):
    """Likely next words after `before` and `text`; some first tokens grow into longer words."""
    start = ids((f"{before} {text}" if before else text).rstrip(" "))
    opening = not text.strip()
    lead = " " if (before and opening) or text.endswith(" ") else ""  # a space belongs to the token after it
    words, beginnings = [], []
    for token in logprobs(start)[-1].argsort(descending=True)[:1000].tolist():
        piece = tokenizer.decode([token])
        word = piece.removeprefix(lead)
        if piece.startswith(lead) and is_word(word) and not (opening and word[0].islower()):
            words.append(word)
            beginnings.append([token])
        elif piece == lead == " ":  # of a number, whose digits are tokens
            beginnings.append([token])
        if len(words) == count:
            break
    for tokens in beginnings[:growing]:
        for _ in range(4):
            token = int(logprobs(start + tokens)[-1].argmax())
            if not is_word(tokenizer.decode([token])):
                break
            tokens = [*tokens, token]
            words.append(tokenizer.decode(tokens).removeprefix(lead))
    return words


# Fill the gaps from left to right: propose words, rank them by the likelihood of the whole text.
filled = [()]
for gap in range(1, len(parts)):
    filled = filled[:6]
    after = " ".join(parts[gap:]).strip()
    # The right context proposes words too: by standing in front of the left one.
    befores = ["", after] if any(map(str.isalnum, after)) else [""]
    proposals = []
    for words in filled:
        found = targets or [
            word
            for before in befores
            for word in propose(
                before,
                join(words),
                count=max(20 // len(filled), 4),
                growing=max(8 // len(filled), 1) if before == befores[-1] else 0,
            )
        ]
        proposals += [(*words, word) for word in dict.fromkeys(found)]
    # All by four tokens after the gap, then the best twenty by all that follow.
    following = len(ids(parts[gap])) - 1
    for unread in (following - 4, 0) if following > 4 else (0,):
        texts = [ids(join(words)) for words in proposals]
        scores = torch.tensor([log_likelihood(text[: len(text) - unread]) for text in texts])
        order = scores.argsort(descending=True)[:20].tolist()
        proposals, scores = [proposals[index] for index in order], scores[order]
    filled = proposals

for words, score in list(zip(filled, scores.softmax(0).tolist()))[:TOP_K]:
    print(f"{score:.4f}  {' / '.join(words)}")
