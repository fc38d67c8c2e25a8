"""What the lab can do with a data set or a text. A new method is a module here and a line in `METHODS`."""

from components.lab.methods import baseline
from components.lab.methods.method import Method

METHODS: dict[str, Method] = {method.name: method for method in (baseline.METHOD,)}
