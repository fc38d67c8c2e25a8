// What of a long text is sent to the server with every key.

/**
 * The text without what comes after `most` code units, and without half a character at its end.
 *
 * @param {number} most
 * @param {string} typed
 * @param {unknown[]} rest
 */
export function drawable(most, typed, ...rest) {
  return [typed.slice(0, most).toWellFormed(), ...rest];
}

/**
 * The second value cut to `most` characters.
 *
 * @param {number} most
 * @param {unknown} opened
 * @param {string} text
 * @param {unknown[]} rest
 */
export function shortened(most, opened, text, ...rest) {
  return [
    opened,
    Array.from(text.slice(0, 2 * most))
      .slice(0, most)
      .join(""),
    ...rest,
  ];
}
