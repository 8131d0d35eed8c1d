import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { packed } from "./vite.packed";

// Addresses are relative: the daemon writes <base href>, because only it knows below which path it is reached.
export default defineConfig({
  base: "./",
  plugins: [react(), packed()],
  build: {
    outDir: "../src/ouzel/ui",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    assetsInlineLimit: 0,
  },
  server: { proxy: { "/api": { target: process.env.OUZEL_URL ?? "http://127.0.0.1:8521", changeOrigin: false } } },
  test: { environment: "node", include: ["test/**/*.test.{ts,tsx}"] },
});
