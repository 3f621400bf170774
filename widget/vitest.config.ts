import { defineConfig } from "vitest/config";

export default defineConfig({
  // Styles are imported as text in the bundle; tests read the same text.
  test: { include: ["test/**/*.test.ts"], css: true, testTimeout: 20_000 },
});
