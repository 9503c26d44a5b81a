import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { expect, it } from 'vitest';

// @vitest-environment node
/** What a window loads before it shows anything, gzipped, in bytes. */
const MOST = 200_000;

it('the page is small', { timeout: 300_000 }, async () => {
  // The mode of the tests would build Svelte for development.
  const built = await build({ mode: 'production', logLevel: 'silent', build: { write: false } });
  const outputs = [built].flat().flatMap((one) => ('output' in one ? one.output : []));
  expect(outputs.length).toBeGreaterThan(2);
  const sizes = outputs.map((file) => gzipSync('code' in file ? file.code : file.source).length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MOST);
});
