from transformers import AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
encoded = tokenizer(TEXT, return_offsets_mapping=tokenizer.is_fast)
ids = encoded["input_ids"]
places = encoded.get("offset_mapping", [None] * len(ids))  # those written in Python do not tell
for id, piece, place in zip(ids, tokenizer.convert_ids_to_tokens(ids), places):
    print(id, piece, place, sep="\t")
