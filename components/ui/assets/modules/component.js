/**
 * What a module's `start` gets of the Gradio component that it brings to life (components/javascript.py).
 *
 * @typedef {object} Component
 * @property {HTMLElement} element the box of the component
 * @property {any} props its arguments in Python, `value` among them; setting one sends it to the server
 * @property {(name: string, data: object) => void} trigger an event for the server
 * @property {(props: string | string[], changed: () => void) => void} watch calls back when the server has changed them
 */

export {};
