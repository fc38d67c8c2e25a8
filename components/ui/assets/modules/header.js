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
