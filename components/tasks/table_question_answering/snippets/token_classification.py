# Run this from the root of the Transformers Tour repository: the programs come from its components.
import torch
from components.tasks.table_question_answering import reader
from components.tasks.table_question_answering.programs import Enumeration
from components.tasks.table_question_answering.table import read
from transformers import AutoModelForTokenClassification, AutoTokenizer

# The request

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForTokenClassification.from_pretrained(MODEL)

# Every short program over the table that the question may mean, each with its answer.
enumeration = Enumeration(read(TABLE["columns"], TABLE["rows"]), QUESTION)
programs = enumeration.programs()

# One pass over question and header tells what is asked for and what part each column plays.
layout = reader.lay_out(tokenizer, enumeration, TOKEN_LIMIT)
with torch.inference_mode():
    logits = model(
        input_ids=torch.tensor([layout.input_ids]), token_type_ids=torch.tensor([layout.token_type_ids])
    ).logits[0]

scores = reader.scores(logits, layout, reader.candidates(enumeration, programs))
for found in reader.rank(scores, programs)[:TOP_K]:
    print(f"{found.score:.4f}  {found.program.text}  ({found.program.explanation})")
