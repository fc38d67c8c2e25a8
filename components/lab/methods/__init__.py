"""What the lab can do with a data set or a text. A new method is a module here and a line in `METHODS`."""

from components.lab.methods import (
    adaptation,
    baseline,
    features,
    full,
    logistic_regression,
    lora,
    pretraining,
)
from components.lab.methods.method import Method

METHODS: dict[str, Method] = {
    module.METHOD.name: module.METHOD
    for module in (baseline, logistic_regression, lora, full, features, pretraining, adaptation)
}
