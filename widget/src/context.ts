/** What the page tells about the visit, sent with every message as `session_context`. */

/** `2026-03-01T09:30:00+01:00`: the visitor's clock on the wall, with its offset. */
export function localTime(now: Date): string {
  const offset = -now.getTimezoneOffset();
  const wall = new Date(now.getTime() + offset * 60_000).toISOString().slice(0, 19);
  const zone = new Date(Math.abs(offset) * 60_000).toISOString().slice(11, 16);
  return wall + (offset < 0 ? "-" : "+") + zone;
}

/** The page without its query, which may hold what is none of our business. */
export function sessionContext(): object {
  return {
    current_page: location.origin + location.pathname,
    referrer: document.referrer.split(/[?#]/)[0],
    device: innerWidth > 480 ? "desktop" : "mobile",
    local_time: localTime(new Date()),
    language: navigator.language,
  };
}

/** A random key; `crypto.randomUUID` exists on secure pages only. */
export function randomKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}
