const button = element.querySelector(".theme-switch");
button.addEventListener("click", () => {
  const dark = document.body.classList.toggle("dark");
  try { localStorage.setItem("tour-theme", dark ? "dark" : "light"); } catch { /* storage may be blocked in an iframe */ }
});
