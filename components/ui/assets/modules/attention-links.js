// What an address says of an attention view.

/**
 * What a link's query says of the view, over what is given.
 *
 * @param {Record<string, any>} given
 * @param {string} search
 */
export function linkedView(given, search) {
  const query = new URLSearchParams(search);
  const view = { ...given };
  for (const name of ["view", "kind"]) if (query.has(name)) view[name] = query.get(name);
  for (const name of ["layer", "head"]) {
    const value = query.get(name) ?? "";
    if (/^\d{1,3}$/.test(value)) view[name] = Number(value);
    if (name === "head" && value === "mean") view.head = value;
  }
  for (const name of ["words", "rollout", "special"])
    if (query.has(name)) view[name] = query.get(name) === "1";
  return view;
}

/**
 * A link to what is shown; none if it would be too long.
 *
 * @param {import("./attention-data.js").Asked} asked
 * @param {import("./attention-data.js").State} state
 * @param {number} longest
 */
export function linkTo(asked, state, longest) {
  const { view, kind, layer, head } = state;
  const query = new URLSearchParams({ ...asked, view, kind, layer: `${layer}`, head: `${head}`, run: "1" });
  if (state.words) query.set("words", "1");
  if (state.rollout) query.set("rollout", "1");
  if (!state.special) query.set("special", "0");
  const link = new URL(`${location.pathname}?${query}`, location.origin).href;
  return link.length <= longest ? link : null;
}
