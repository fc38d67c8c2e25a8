"""Gradio is imported without writing the stubs of its components, and is otherwise the same."""

from __future__ import annotations

import subprocess
import sys

from tests.server import ROOT

PROGRAM = """
import ast
from components.serving import stubs

parsed = []
parse = ast.parse
ast.parse = lambda *given, **named: parsed.append(given) or parse(*given, **named)
stubs.leave_alone()
import gradio as gr
from gradio.events import EventListener

assert not any("(Component" in str(source) for source, *_ in parsed), "a component was parsed"
with gr.Blocks() as blocks:
    box = gr.Textbox()
    box.submit(str.upper, box, box)
assert [listener.event_name for listener in gr.Textbox.EVENTS][:2] == ["change", "input"]
assert len(blocks.fns) == 1
class Own(gr.HTML):
    EVENTS = [EventListener("seen")]
assert Own().seen
stubs.leave_alone()  # too late, and no harm
import gradio.component_meta
"""


def test_gradio_is_imported_without_parsing_its_components() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
