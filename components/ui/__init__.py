"""Gradio building blocks that the pages are put together from."""
