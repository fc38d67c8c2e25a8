// What a link to the attention page asks to see. `go` is empty if nothing is to be looked at unasked, and says
// what to show where the link does not.
(text, text_pair, model, go) => {
  if (!go) return;
  const query = new URLSearchParams(location.search);
  const wish = JSON.parse(go);
  for (const name of ["view", "kind"]) if (query.has(name)) wish[name] = query.get(name);
  for (const name of ["layer", "head"]) {
    const value = query.get(name) ?? "";
    if (/^\d{1,3}$/.test(value)) wish[name] = Number(value);
    if (name === "head" && value === "mean") wish.head = value;
  }
  for (const name of ["words", "rollout", "special"]) if (query.has(name)) wish[name] = query.get(name) === "1";
  window.tourAttention = { text, text_pair, model, ...wish, opening: true }; // for a script that has not run yet
  window.dispatchEvent(new CustomEvent("tour:attention", { detail: window.tourAttention }));
}
