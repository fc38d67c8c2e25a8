// On a narrow screen the navigation scrolls: bring the current page into view, without moving the page itself.
const nav = element.querySelector("nav");
const current = nav.querySelector("[aria-current]");
if (current) nav.scrollLeft = current.offsetLeft - nav.offsetLeft - (nav.clientWidth - current.clientWidth) / 2;

const button = element.querySelector(".theme-switch");
button.addEventListener("click", () => {
  const dark = document.body.classList.toggle("dark");
  try { localStorage.setItem("tour-theme", dark ? "dark" : "light"); } catch { /* storage may be blocked in an iframe */ }
});
