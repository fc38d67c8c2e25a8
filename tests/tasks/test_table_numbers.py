"""What the numbers of a column say, each kind of writing by the values that are meant."""

from __future__ import annotations

import pytest

from components.tasks.table_question_answering.numbers import explain, numbers

KINDS: dict[str, list[tuple[list[str], list[float | None]]]] = {
    "decimal comma": [
        (["1.299,00 kr", "89,50 kr", "450,00 kr"], [1299, 89.5, 450]),
        (["0,75", "12,5", "3"], [0.75, 12.5, 3]),
        (["R$ 2.000,00", "R$ 5,50"], [2000, 5.5]),
        (["1.000.000", "2.500"], [1_000_000, 2500]),
        (["1.250 €", "2.000 €"], [1250, 2000]),
        (["-3,5 %", "12,25 %"], [-3.5, 12.25]),
    ],
    "decimal point": [
        (["1,234.50", "99.90"], [1234.5, 99.9]),
        (["1.234", "2.5"], [1.234, 2.5]),
        (["1,234", "5,678"], [1234, 5678]),
    ],
    "thousands": [
        (["12 500", "7\u00a0250", "1\u202f000\u202f000,5"], [12500, 7250, 1_000_000.5]),
        (["1'250.75", "CHF 2’000"], [1250.75, 2000]),
        (["12,34,567", "1,00,000", "999"], [1_234_567, 100_000, 999]),
        (["12 34", "5"], [12, 5]),
    ],
    "currency": [
        (["$12", "€ 5", "£1,200", "₹300", "US$7"], [12, 5, 1200, 300, 7]),
        (["12 $", "5€", "300 ₹", "70 zł"], [12, 5, 300, 70]),
        (["USD 12", "Rs. 1,00,000", "kr 99"], [12, 100_000, 99]),
    ],
    "negative": [
        (["-£4", "£-5", "−6", "€ -7"], [-4, -5, -6, -7]),
        (["(450)", "120", "($1,000)"], [-450, 120, -1000]),
        (["30-", "12"], [-30, 12]),
        (["(1998)", "(2004)"], [1998, 2004]),
    ],
    "scale": [
        (["3.4M", "950K", "12"], [3_400_000, 950_000, 12]),
        (["$1.2bn", "$900m", "$75k"], [1.2e9, 9e8, 75_000]),
        (["2 lakh", "1.5 crore"], [200_000, 15_000_000]),
        (["1,5 Mio. €", "900 Tsd. €"], [1_500_000, 900_000]),
        (["5 m", "12 m"], [5, 12]),
    ],
    "units": [
        (["3 TB", "750 GB", "4 KiB"], [3e12, 7.5e11, 4096]),
        (["900 m", "1.5 km", "20 cm"], [900, 1500, 0.2]),
        (["2 kg", "750 g"], [2000, 750]),
        (["1 h 30 min", "45 min", "2 hours"], [5400, 2700, 7200]),
        (["3 kg", "5 kg"], [3, 5]),
        (["3 kg", "5 kg", "7 g", "unweighed"], [3000, 5000, 7, None]),
    ],
    "exponent": [
        (["1e4", "2.5E3", "900"], [10_000, 2500, 900]),
        (["3e-2", "5"], [0.03, 5]),
        (["6.02e+23", "4E2"], [None, 400]),  # larger than what is calculated with
    ],
    "before Christ": [
        (["2279 BC", "68", "530 B.C."], [-2279, 68, -530]),
        (["44 BCE", "14 CE"], [-44, 14]),
        (["AD 79", "216 v. Chr."], [79, -216]),
    ],
    "no number": [
        (["1.2.3", "4"], [None, 4]),
        (["1,2,3", "4"], [None, 4]),
        (["about twenty", "n/a", ""], [None, None, None]),
    ],
}


@pytest.mark.parametrize(
    ("cells", "values"),
    [pytest.param(*case, id=f"{kind}: {case[0][0]}") for kind, cases in KINDS.items() for case in cases],
)
def test_a_column_has_one_reading(cells: list[str], values: list[float | None]) -> None:
    assert numbers(tuple(cells)).values == pytest.approx(values)


@pytest.mark.parametrize(
    "cells", [["1,234", "12"], ["$5", "€6.50"], ["4th", "5th"], ["–", "3 %"], ["1:02:10"]]
)
def test_what_reads_as_it_is_written_needs_no_note(cells: list[str]) -> None:
    assert explain("“x”", numbers(tuple(cells))) == []


@pytest.mark.parametrize(
    ("cells", "notes"),
    [
        (["89,50 kr", "3"], ["“x” is read as numbers: “89,50 kr” as 89.5."]),
        (["3 km", "250 m"], ["“x” is read as numbers (in metres): “3 km” as 3000."]),
        (["(5)", "6", "late"],
         ["“x” is read as numbers: “(5)” as -5.", "Not read as numbers in “x”, and left out: “late”."]),
    ],
)  # fmt: skip
def test_a_reading_that_may_surprise_is_told(cells: list[str], notes: list[str]) -> None:
    assert explain("“x”", numbers(tuple(cells))) == notes
