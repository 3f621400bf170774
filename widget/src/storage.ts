/** Browser storage that may be forbidden, full or spoiled: what cannot be kept there is kept in memory. */

const memory: Record<string, string> = {};

type Area = "localStorage" | "sessionStorage";

export function load<T>(area: Area, key: string): T | null {
  try {
    return JSON.parse(memory[key] ?? globalThis[area].getItem(key) ?? "null") as T;
  } catch {
    return null;
  }
}

export function save(area: Area, key: string, value: unknown): void {
  const text = JSON.stringify(value);
  try {
    globalThis[area].setItem(key, text);
    delete memory[key];
  } catch {
    memory[key] = text;
  }
}
