// In a frame on another page (?embed=1): settings are folded away, and the host is told how high the content is.
addEventListener("tour-up", () => {
  if (!document.documentElement.classList.contains("embed")) return;
  const settings = document.querySelector(".settings");
  if (settings) {
    const unfold = document.createElement("button");
    unfold.type = "button";
    unfold.className = "tour-unfold";
    unfold.textContent = "Model and options";
    unfold.setAttribute("aria-expanded", "false");
    unfold.addEventListener("click", () => {
      unfold.setAttribute("aria-expanded", String(settings.classList.toggle("unfolded")));
    });
    settings.before(unfold);
  }

  const end = document.querySelector(".tour-way-out");
  let told = 0;
  const tell = () => {
    const height = Math.ceil(end.getBoundingClientRect().bottom + scrollY);
    if (height === told) return;
    told = height;
    // To any host: the height of a page is no secret.
    parent.postMessage({ type: "transformers-tour:height", height }, "*");
  };
  addEventListener("message", ({ data, source }) => {
    if (source !== parent || data?.type !== "transformers-tour:height?") return;
    told = 0;
    tell();
  });
  new ResizeObserver(tell).observe(document.body);
  tell();
});
