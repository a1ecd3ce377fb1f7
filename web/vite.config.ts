import { defineConfig } from "vite";
import { notices } from "./notices.ts";

export default defineConfig({
  // Every address is relative: the dashboard doesn't know below which path it is served.
  base: "./",
  plugins: [notices()],
  build: {
    target: "es2022",
    // A `data:` address is one more thing that a strict Content-Security-Policy would have to allow.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
});
