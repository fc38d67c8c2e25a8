// The timeline: click or arrow keys choose a milestone, the address bar gets a link to it, a filter leaves one
// family. All that is shown is in the page already.

/** @param {import("./component.js").Component} component */
export function start({ element }) {
  /** @type {HTMLElement[]} */
  const items = [...element.querySelectorAll("[data-milestone]")];
  const said = element.querySelector('[data-part="said"]');
  /** @param {HTMLElement} item @returns {HTMLButtonElement} */
  const buttonOf = (item) => item.querySelector("button");
  const visible = () => items.filter((item) => !item.hidden);
  const chosen = () => items.find((item) => buttonOf(item).getAttribute("aria-expanded") === "true");
  const asked = () => {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return "";
    }
  };
  const linked = () => items.find((item) => item.dataset.milestone === asked());

  /** @param {HTMLElement} item */
  function choose(item, { link = true, tell = true } = {}) {
    for (const each of items) {
      const mine = each === item;
      buttonOf(each).setAttribute("aria-expanded", String(mine));
      buttonOf(each).tabIndex = mine ? 0 : -1;
      each.querySelector("article").hidden = !mine;
    }
    const shown = visible(),
      place = shown.indexOf(item);
    for (const step of element.querySelectorAll("[data-step]"))
      step.setAttribute("aria-disabled", String(!shown[place + Number(step.dataset.step)]));
    if (link) {
      const here = new URL(location.href); // a bare "#…" would be one of the app's base address
      here.hash = item.dataset.milestone;
      history.replaceState(history.state, "", here);
    }
    if (tell)
      said.textContent = ["h3", ".timeline-text"]
        .map((part) => item.querySelector(part).textContent)
        .join(". ");
  }

  /** @param {number} step @param {boolean} [focus] */
  function go(step, focus) {
    const shown = visible();
    const next = shown[shown.indexOf(chosen()) + step];
    if (!next) return;
    choose(next);
    if (focus) buttonOf(next).focus();
    else next.querySelector("article").scrollIntoView({ block: "nearest" });
  }

  element.addEventListener("click", (event) => {
    const item = event.target.closest("[data-milestone] > button")?.parentElement;
    if (item) choose(item);
    const step = event.target.closest("[data-step]");
    if (step) go(Number(step.dataset.step), false);
  });

  element.addEventListener("keydown", (event) => {
    if (!event.target.closest("[data-milestone] > button") || event.ctrlKey || event.metaKey || event.altKey)
      return;
    const far = items.length;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -far, End: far }[event.key];
    if (!step) return;
    event.preventDefault();
    const shown = visible(),
      place = shown.indexOf(chosen());
    go(Math.min(shown.length - 1, Math.max(0, place + step)) - place, true);
  });

  element.addEventListener("change", (event) => {
    const family = event.target.value;
    for (const part of element.querySelectorAll("[data-family]"))
      part.hidden = family !== "" && part.dataset.family !== family;
    const shown = visible();
    choose(chosen().hidden ? shown[0] : chosen(), { link: false, tell: false });
    said.textContent = `${shown.length} milestones are shown.`;
  });

  function follow() {
    const item = linked();
    if (!item) return false;
    if (item.hidden) {
      const all = element.querySelector('input[value=""]');
      all.checked = true;
      all.dispatchEvent(new Event("change", { bubbles: true }));
    }
    choose(item, { link: false });
    item.querySelector("article").scrollIntoView({ block: "nearest" });
    return true;
  }
  window.addEventListener("hashchange", follow);
  if (!follow()) choose(chosen(), { link: false, tell: false });
}
