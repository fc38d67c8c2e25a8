(() => {
  const header = document.getElementById("tour-header");
  // On a narrow screen the navigation scrolls: bring the current page into view, without moving the page itself.
  const nav = header.querySelector("nav");
  const current = nav.querySelector("[aria-current]");
  if (current) nav.scrollLeft = current.offsetLeft - nav.offsetLeft - (nav.clientWidth - current.clientWidth) / 2;

  // The browser would follow the link from the app's base address, to the home page.
  header.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    const main = document.getElementById("main");
    main.focus();
    main.scrollIntoView();
  });

  header.querySelector(".theme-switch").addEventListener("click", () => {
    const theme = document.body.classList.contains("dark") ? "light" : "dark";
    window.tourTheme(theme);
    try { localStorage.setItem("tour-theme", theme); } catch { /* storage may be blocked in an iframe */ }
  });
})();
