// For pages that show Transformers Tour in frames: makes each frame as high as its content.
// <script async src="https://HOST/embed.js"></script>, anywhere on the page; it is optional.
(() => {
  const source = /** @type {HTMLScriptElement} */ (document.currentScript).src;
  const origin = new URL(source).origin;
  const app = new URL("./", source).href; // where this script comes from, and so do the frames
  const ask = { type: "transformers-tour:height?" };
  const frames = () => [...document.querySelectorAll("iframe")].filter((frame) => frame.src.startsWith(app));

  addEventListener("message", (event) => {
    if (event.origin !== origin || event.data?.type !== "transformers-tour:height") return;
    const frame = frames().find((one) => one.contentWindow === event.source);
    const height = Math.ceil(event.data.height);
    if (frame && height > 0 && height < 50_000) frame.height = String(height);
  });
  // Frames that were there before this script have told their height already.
  for (const frame of frames()) frame.contentWindow?.postMessage(ask, "*");
})();
