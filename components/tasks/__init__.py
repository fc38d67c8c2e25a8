"""Tasks: text in, dataclasses out. One module each; no Gradio here."""
