// Says that a file is too large before it is sent: the server would break the upload off without a word.

/** @param {import("./component.js").Component} component */
export function start({ element, props }) {
  const limit = Number(props.value.limit);
  /** @param {Event} event */
  const within = (event) => event.target instanceof Element && event.target.closest("#lab-file");

  /** @param {Event} event @param {FileList | undefined} files */
  function check(event, files) {
    element.replaceChildren();
    const large = [...(files ?? [])].find((file) => file.size > limit);
    if (!large) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.target instanceof HTMLInputElement) event.target.value = "";
    const said = document.createElement("p");
    said.textContent =
      `${large.name} has ${Math.round(large.size / 1e6).toLocaleString("en")} MB; up to ${limit / 1e6} MB are ` +
      "taken. Take a part of its rows, drawn at random, or keep only the columns with text, label and split.";
    const box = document.createElement("div");
    box.className = "problem";
    box.setAttribute("role", "alert");
    box.append(said);
    element.append(box);
  }

  /** @param {Event} event */
  const picked = (event) => within(event) && check(event, event.target.files);
  /** @param {DragEvent} event */
  const dropped = (event) => within(event) && check(event, event.dataTransfer?.files);
  document.addEventListener("change", picked, true);
  document.addEventListener("drop", dropped, true);
}
