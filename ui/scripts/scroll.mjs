// Measures the conversation of a node that holds a long history, in headless Chromium:
//   node scripts/scroll.mjs [--tieline PATH] [--bench PATH] [--count N] [--json FILE]
// It starts two real nodes on free ports of the loopback interface, pairs them, fills one's database while it is
// stopped, and scrolls. It fails where there are 200 rows or more in the document at once, or a frame takes over 50 ms.
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const root = resolve(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: {
    tieline: { type: 'string', default: join(root, 'target/release/tieline') },
    bench: { type: 'string', default: join(root, 'target/release/tieline-bench') },
    count: { type: 'string', default: '100000' },
    json: { type: 'string' },
  },
});
const MOST_ROWS = 199;
const LONGEST_FRAME_MS = 50;

const dir = mkdtempSync(join(tmpdir(), 'tieline-scroll-'));
const env = { ...process.env, TIELINE_VAULT: 'file', TIELINE_LOG: 'warn' };
const home = (name) => join(dir, name);
const run = (name, args, input) =>
  execFileSync(values.tieline, ['--home', home(name), ...args], { env, input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });

/** Starts a node and waits until it serves; the returned function stops it. */
async function serve(name, ...more) {
  const free = '127.0.0.1:0';
  const args = ['--home', home(name), 'serve', '--json', '--name', name, '--peer-addr', free, '--api-addr', free, ...more];
  const child = spawn(values.tieline, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((done) => child.once('exit', done));
  await Promise.race([
    new Promise((ready) => child.stdout.once('data', ready)),
    ended.then(() => Promise.reject(new Error(`${name} ended before it was ready`))),
  ]);
  return async () => {
    child.kill('SIGTERM');
    await ended;
  };
}

const stops = [];
try {
  stops.push(await serve('box'));
  const stopMac = await serve('mac');
  run('mac', ['join', '--yes'], run('box', ['invite']).match(/tieline:\/\/\S+/)[0]);
  run('box', ['peers', 'keep', 'mac']);
  await stopMac();
  execFileSync(values.bench, ['seed', '--home', home('mac'), '--peer', 'box', '--count', values.count], { stdio: 'inherit' });
  stops.push(await serve('mac', '--ui', '--ui-addr', '127.0.0.1:0', '--no-open'));
  const link = run('mac', ['ui', '--no-open']).match(/http:\S+/)[0];

  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
  stops.push(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  await page.goto(link);
  await page.getByRole('link', { name: 'Messages' }).waitFor();
  const opened = performance.now();
  await page.evaluate(() => (location.hash = '#/messages/box'));
  await page.getByTestId('message').first().waitFor();
  const firstRow = performance.now() - opened;
  await page.waitForTimeout(1500);

  const phases = [
    ['at the newest, by the wheel', 'up', 120, 6],
    ['at the newest, flung', 'up', 1500, 10],
    ['from the oldest, flung', 'down', 1500, 6],
  ];
  const results = [];
  for (const [what, way, pixels, seconds] of phases) {
    if (way === 'down') {
      await page.getByTestId('message-rows').focus();
      await page.keyboard.press('Home');
      await page.waitForTimeout(1500);
    }
    results.push({ what, ...(await page.evaluate(scroll, { way, pixels, seconds })) });
  }
  const figures = {
    messages: Number(values.count),
    firstRowMs: Math.round(firstRow),
    heapMb: await page.evaluate(() => Math.round(performance.memory.usedJSHeapSize / 1e6)),
    phases: results,
  };
  for (const one of results) {
    console.log(
      `${one.what}: ${one.passed} rows passed in ${one.frames} frames; longest frame ${one.longest.toFixed(1)} ms, ` +
        `p99 ${one.p99.toFixed(1)} ms; most rows at once ${one.rows}, elements in the list ${one.elements}`,
    );
  }
  console.log(`first row after ${figures.firstRowMs} ms, heap ${figures.heapMb} MB`);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
  const slow = results.filter((one) => one.longest > LONGEST_FRAME_MS || one.rows > MOST_ROWS);
  if (slow.length > 0) {
    console.error(`over the limits of ${MOST_ROWS} rows and ${LONGEST_FRAME_MS} ms: ${slow.map((one) => one.what).join('; ')}`);
    process.exitCode = 1;
  }
} finally {
  for (const stop of stops.reverse()) await stop();
  rmSync(dir, { recursive: true, force: true });
}

/** Runs in the page: scrolls a little with every frame, and watches the frames. */
async function scroll({ way, pixels, seconds }) {
  const list = document.querySelector('[data-testid=message-rows]');
  const seen = new Set();
  const times = [];
  let rows = 0;
  let elements = 0;
  const end = performance.now() + seconds * 1000;
  let last = await new Promise(requestAnimationFrame);
  while (performance.now() < end) {
    list.scrollTop += way === 'up' ? -pixels : pixels;
    const now = await new Promise(requestAnimationFrame);
    times.push(now - last);
    last = now;
    const shown = list.querySelectorAll('[data-testid=message]');
    for (const row of shown) seen.add(row.textContent);
    rows = Math.max(rows, shown.length);
    elements = Math.max(elements, list.getElementsByTagName('*').length);
  }
  times.sort((a, b) => a - b);
  return {
    frames: times.length,
    passed: seen.size,
    longest: times.at(-1),
    p99: times[Math.floor(times.length * 0.99)],
    rows,
    elements,
  };
}
