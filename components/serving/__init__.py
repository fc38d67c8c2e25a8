"""The interfaces: HTTP, Gradio's API and MCP. Nothing here knows what a page looks like."""
