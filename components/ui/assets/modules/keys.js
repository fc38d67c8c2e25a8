// Which keys belong to the page as a whole, and which to what has the focus.
const FIELDS = 'input, textarea, select, [contenteditable="true"]';
const OWN =
  `${FIELDS}, canvas, video, [role="tab"], [role="slider"], [role="listbox"], [role="grid"], [role="group"] button, ` +
  '[tabindex="0"]:not(a, button), [data-unit], [data-milestone] button';

/** @param {KeyboardEvent} event */
const plain = (event) =>
  !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
/** @param {Event} event @param {string} selector */
const within = (event, selector) => Boolean(/** @type {Element} */ (event.target).closest?.(selector));

/**
 * Whether a key is pressed while a text is typed.
 *
 * @param {Event} event
 */
export const typing = (event) => within(event, FIELDS);

/**
 * Whether an arrow key, Page Up, Page Down or Escape is nobody else's.
 *
 * @param {KeyboardEvent} event
 */
export const free = (event) =>
  plain(event) && !within(event, OWN) && !document.querySelector("dialog[open], .nav-group[open]");
