import pandas as pd
import torch
from transformers import AutoModelForTableQuestionAnswering, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForTableQuestionAnswering.from_pretrained(MODEL)

encoded = tokenizer(
    table=pd.DataFrame(TABLE["rows"], columns=TABLE["columns"]),
    queries=QUESTION,
    truncation="drop_rows_to_fit",
    max_length=TOKEN_LIMIT,
    return_tensors="pt",
)
with torch.inference_mode():
    output = model(**encoded)

# A cell's probability is the mean over its tokens; segment 1 is the table, whose row 0 is the header.
tokens = {}
for chance, (segment, column, row, *_) in zip(
    output.logits[0].sigmoid().tolist(), encoded["token_type_ids"][0].tolist()
):
    if segment == 1 and column and row:
        tokens.setdefault((row - 1, column - 1), []).append(chance)
cells = {cell: sum(chances) / len(chances) for cell, chances in tokens.items()}
ranked = sorted(cells, key=lambda cell: (-cells[cell], cell))
selected = sorted(cell for cell in ranked if cells[cell] > 0.5) or ranked[:1]
picked = [TABLE["rows"][row][column] for row, column in selected]
sure = sum(cells[cell] for cell in selected) / len(selected)


WORDS = {
    "NONE": "the cells picked",
    "SUM": "the sum of the cells picked",
    "AVERAGE": "the mean of the cells picked",
    "COUNT": "how many cells are picked",
}


def result(operation):
    """The answer that an operation makes of the picked cells; None where one is no number."""
    if operation == "NONE":
        return ", ".join(picked)
    if operation == "COUNT":
        return str(len(picked))
    try:
        numbers = [float(text.strip("$€£% ").replace(",", "")) for text in picked]
    except ValueError:
        return None
    total = sum(numbers) / (len(numbers) if operation == "AVERAGE" else 1)
    return f"{round(total, 6):f}".rstrip("0").rstrip(".")


names = model.config.aggregation_labels or dict(enumerate(WORDS))
operations = {names[index]: chance for index, chance in enumerate(output.logits_aggregation[0].softmax(0).tolist())}
found = [(chance * sure, result(name), WORDS[name]) for name, chance in operations.items()]
for row, column in ranked:
    if (row, column) not in selected:
        found.append((operations["NONE"] * cells[row, column], TABLE["rows"][row][column], "this cell alone"))
for score, answer, how in sorted((one for one in found if one[1] is not None), key=lambda one: -one[0])[:TOP_K]:
    print(f"{score:.4f}  {answer}  ({how})")
