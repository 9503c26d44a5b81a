// Pictures of the preview's scenes: node scripts/preview-shots.mjs OUT_DIR [FILTER]. Needs Chromium.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';

const [out = 'shots', filter = ''] = process.argv.slice(2);
const SHOTS = [
  ['peers', 'two', '/peers'],
  ['peers-empty', 'empty', '/peers'],
  ['peers-joined', 'joined', '/peers'],
  ['peers-loading', 'slow', '/peers'],
  ['problem', 'broken', '/peers'],
  ['peer', 'two', '/peers/wsl-box', (page) => page.getByRole('button', { name: 'Ping' }).click()],
  ['peer-broken', 'two', '/peers/server', (page) => page.getByRole('button', { name: 'Ping' }).click()],
  ['pair', 'two', '/pair'],
  ['pair-open', 'open', '/pair'],
  ['pair-joined', 'joined', '/pair', (page) => page.getByRole('button', { name: 'Create link' }).click()],
  ['join', 'two', '/pair/join', (page) => page.getByLabel('Link from').fill('tieline://join#AAAA')],
  ['join-bad', 'two', '/pair/join', (page) => page.getByLabel('Link from').fill('https://example.org')],
  ['join-done', 'two', '/pair/join', async (page) => {
    await page.getByLabel('Link from').fill('tieline://join#AAAA');
    await page.getByRole('button', { name: 'Same words' }).click();
  }],
  ['messages', 'two', '/messages'],
  ['messages-empty', 'empty', '/messages'],
  ['conversation', 'two', '/messages/wsl-box'],
  ['conversation-waits', 'two', '/messages/server'],
  ['message', 'two', '/messages/wsl-box?message=m-8'],
  ['message-failed', 'two', '/messages/server?message=m-6'],
  ['unpair', 'two', '/peers/wsl-box', (page) => page.getByRole('button', { name: 'Unpair' }).click()],
];

mkdirSync(out, { recursive: true });
const root = resolve(import.meta.dirname, '..');
const server = await createServer({ root, configFile: join(root, 'vite.config.ts'), server: { port: 0, host: '127.0.0.1' } });
await server.listen();
const base = `http://127.0.0.1:${server.httpServer.address().port}`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync', '--disable-component-update'],
});
for (const [name, scene, path, act] of SHOTS) {
  if (!name.includes(filter)) continue;
  for (const [theme, width, height] of [['light', 1000, 700], ['dark', 1000, 700], ['light', 760, 620]]) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme });
    page.on('pageerror', (error) => console.error(name, error.message));
    await page.goto(`${base}/preview/?scene=${scene}#${path}`);
    await page.waitForTimeout(250);
    await act?.(page);
    await page.waitForTimeout(700);
    await page.screenshot({ path: join(out, `${name}-${theme}-${width}.png`) });
    await page.close();
  }
}
await browser.close();
await server.close();
