"""The lab: a visitor's own data, trained on, judged and shared. Works without Gradio."""
