// Which question an answer on the page belongs to. Figures carry the values that they answer (components/ui/asking.py);
// what answers something else than is asked now is dimmed and says so. A new answer is read out, and its request is
// put into the address, so that it is not lost on leaving the page.
(() => {
  const LONGEST_LINK = 8000; // characters: a longer address is refused by many servers
  const same = (one, other) => String(one ?? "") === String(other ?? "");
  let asked = null; // what the boxes hold; null until something has changed
  let setting = null; // names, defaults, and what the button to run is called
  let read = null; // the answer that was last read out

  window.tourLink = (names, defaults, values) => {
    const query = new URLSearchParams();
    names.forEach((name, index) => {
      if (values[index] != null && !same(values[index], defaults[name])) query.set(name, String(values[index]));
    });
    query.set("run", "1");
    const link = new URL(location.pathname + "?" + query, location.origin).href;
    return link.length <= LONGEST_LINK ? link : null;
  };

  window.tourShowLink = (link) => {
    const here = new URL(link);
    const shown = new URLSearchParams(location.search);
    for (const kept of ["embed", "__theme"]) if (shown.has(kept)) here.searchParams.set(kept, shown.get(kept));
    history.replaceState(history.state, "", here);
  };

  const look = () => {
    for (const answer of document.querySelectorAll(".answered")) {
      const block = answer.closest(".block");
      const values = JSON.parse(answer.dataset.asked);
      const working = Boolean(document.querySelector('button[id$="-stop"]:not(:disabled)'));
      const model = setting?.names.indexOf("model") ?? -1;
      const others = asked ? values.flatMap((value, index) => (same(value, asked[index]) ? [] : [index])) : [];
      const words = !others.length
        ? ("partial" in answer.dataset && !working ? "Stopped: this answer is not complete" : "")
        : others.some((index) => index < model) ? "Answer to an earlier text"
        : others.includes(model) ? "Answer of another model" : "Answer with other options";
      const after = others.length && !working ? `: press ${setting.run}` : "";
      if (words) block.dataset.stale = words + after;
      else delete block.dataset.stale;
    }
  };

  const latest = () => {
    const answer = document.querySelector('[id$="-result"] .answered:not([data-partial])');
    return [answer, answer && answer.dataset.asked + answer.textContent];
  };

  const arrived = () => {
    const [answer, key] = latest();
    if (!answer || key === read) return;
    read = key;
    document.getElementById("tour-live").textContent = answer.dataset.said;
    const link = setting && window.tourLink(setting.names, setting.defaults, JSON.parse(answer.dataset.asked));
    if (link) window.tourShowLink(link);
  };

  window.tourAsked = (values, about) => { asked = values; setting = about; look(); };

  let due = false;
  const changed = () => {
    if (due) return;
    due = true;
    queueMicrotask(() => { due = false; look(); arrived(); });
  };
  addEventListener("tour-up", () => {
    for (const status of document.querySelectorAll(".status.block")) status.setAttribute("role", "status");
    read = latest()[1];
    look();
    new MutationObserver(changed).observe(document.querySelector("gradio-app"), { childList: true, subtree: true });
  });
})();
