"""What the app is measured against: a page of Gradio's with nothing on it, launched the same way."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.browser.tour import CHROMIUM, FLAGS
from tests.server import clean_environment, free_port, running, running_app

EMPTY = """
import sys
import gradio as gr

with gr.Blocks() as blocks:
    pass
blocks.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), ssr_mode=False, quiet=True)
"""


@contextmanager
def both_in_chromium() -> Iterator[tuple[Browser, str, str]]:
    """A browser, the app's address and that of an empty page."""
    port = free_port()
    empty = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", EMPTY, str(port)]
    with (
        running_app() as url,
        running(command, f"{empty}/", clean_environment()),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser, url, empty
        browser.close()
