import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  // Relative addresses, so that the same build is served from tauri:// and from `tieline serve --ui`.
  base: './',
  // Svelte's server build is what Node resolves by default; the tests need the one for browsers.
  resolve: process.env.VITEST ? { conditions: ['browser'] } : undefined,
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  clearScreen: false,
  test: { environment: 'jsdom', include: ['test/**/*.test.ts'], setupFiles: ['test/setup.ts'] },
});
