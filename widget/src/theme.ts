/** One accent colour from the page, made readable on light and on dark. */

const ACCENT = [31, 92, 77];
/** Above this luminance white text on the accent, or the accent on white, misses WCAG AA (4.5 : 1). */
const PALE = 0.183;

/** Relative luminance of red, green and blue from 0 to 255, as WCAG defines it; from 0 to 1. */
export function luminance(channels: number[]): number {
  const [red, green, blue] = channels.map((channel) => (channel / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Sets the accent on `root`, which is on the page already, and follows the visitor's scheme. */
export function applyTheme(root: HTMLElement, color = "", theme = ""): void {
  const { style, classList } = root;
  style.color = color;
  const channels = style.color && getComputedStyle(root).color.match(/^rgba?\((\d+), (\d+), (\d+)/)?.slice(1).map(Number);
  style.color = "";
  const accent = channels || ACCENT;
  const pale = luminance(accent) > PALE;
  style.setProperty("--accent", `rgb(${accent})`);
  style.setProperty("--on-accent", pale ? "#141817" : "#fff");
  classList.toggle("pale", pale);
  const scheme = window.matchMedia?.("(prefers-color-scheme: dark)");
  const update = (): unknown => classList.toggle("dark", theme ? theme === "dark" : scheme?.matches ?? false);
  scheme?.addEventListener("change", update);
  update();
}
