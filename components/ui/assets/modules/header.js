import { typing } from "./keys.js";

const header = document.getElementById("tour-header");
const opened = () => header.querySelector(".nav-group[open]");
document.addEventListener("click", ({ target }) => {
  if (opened() && !opened().contains(target)) opened().open = false;
});
header.addEventListener("keydown", ({ key }) => {
  const group = opened();
  if (key !== "Escape" || !group) return;
  group.open = false;
  group.querySelector("summary").focus();
});

// The browser would follow the link from the app's base address, to the home page.
header.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  const main = document.getElementById("main");
  main.focus();
  main.scrollIntoView();
});

header.querySelector(".theme-switch").addEventListener("click", () => {
  const theme = document.body.classList.contains("dark") ? "light" : "dark";
  dispatchEvent(new CustomEvent("tour-theme", { detail: theme }));
  try {
    localStorage.setItem("tour-theme", theme);
  } catch {
    /* storage may be blocked in an iframe */
  }
});

// Presenting and searching: their modules are fetched when they are asked for.
const page = document.documentElement;
const present = async () => (await import("./present.js")).toggle();
const search = async () => (await import("./search.js")).open();
if (page.classList.contains("present")) import("./present.js").then((module) => module.start());
header.querySelector(".present-open").addEventListener("click", present);
header.querySelector(".search-open").addEventListener("click", search);
addEventListener("keydown", (event) => {
  const { altKey, ctrlKey, metaKey, shiftKey, code, key } = event;
  const asks =
    altKey && !ctrlKey && !metaKey && code === "KeyP" && !typing(event)
      ? present
      : page.classList.contains("embed") // the host page's keys are its own
        ? null
        : (ctrlKey || metaKey) && !altKey && !shiftKey && key.toLowerCase() === "k"
          ? search
          : key === "/" && !altKey && !ctrlKey && !metaKey && !typing(event)
            ? search
            : null;
  if (!asks) return;
  event.preventDefault();
  asks();
});
