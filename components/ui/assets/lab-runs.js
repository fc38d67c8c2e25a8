// The trigger's name below is what Gradio makes a listener of: "remove".
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-run]");
  if (!button) return;
  button.disabled = true;
  trigger("remove", { run: button.dataset.run });
});
