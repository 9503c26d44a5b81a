// Exports icons/*.svg to the files that Tauri, the bundles and the tray read: `npm run icons`.
// With `--check` it changes nothing and fails if an exported file is missing.
//
// The drawing is done by the resvg inside the Tauri CLI, so no other tool is needed.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ui = resolve(import.meta.dirname, '..');
const root = resolve(ui, '..');
const icons = join(root, 'icons');

/** What the bundles need, by the names that the CLI gives. */
const APP = ['32x32.png', '64x64.png', '128x128.png', '128x128@2x.png', 'icon.png', 'icon.icns', 'icon.ico'];
const STATES = ['idle', 'unread', 'offline', 'paused', 'error'];
/** `template`: macOS colours it itself. `light` is drawn on dark panels, `dark` on light ones. */
const TINTS = { template: '#000000', light: '#F4F0EB', dark: '#2A2420' };
/** Twice the 22 points of a tray, so that it stays sharp on dense screens. */
const TRAY_PIXELS = 44;

const trayFiles = STATES.flatMap((state) => Object.keys(TINTS).map((tint) => `tray/${state}-${tint}.png`));

if (process.argv.includes('--check')) {
  const missing = [...APP, ...trayFiles].filter((name) => !existsSync(join(icons, name)));
  if (missing.length > 0) {
    console.error(`missing in icons/: ${missing.join(', ')}. Run: npm run icons`);
    process.exit(1);
  }
} else {
  const work = mkdtempSync(join(tmpdir(), 'tieline-icons-'));
  try {
    exportApp(work);
    for (const state of STATES) exportTray(work, state);
  } finally {
    rmSync(work, { recursive: true });
  }
}

function exportApp(work) {
  const out = join(work, 'app');
  tauriIcon(join(icons, 'app.svg'), out);
  for (const name of APP) copyFileSync(join(out, name), join(icons, name));
}

function exportTray(work, state) {
  const drawing = readFileSync(join(icons, 'tray', `${state}.svg`), 'utf8');
  for (const [tint, colour] of Object.entries(TINTS)) {
    const source = join(work, `${state}-${tint}.svg`);
    const out = join(work, `${state}-${tint}`);
    writeFileSync(source, drawing.replace('color="#000"', `color="${colour}"`));
    tauriIcon(source, out, '--png', String(TRAY_PIXELS));
    copyFileSync(join(out, `${TRAY_PIXELS}x${TRAY_PIXELS}.png`), join(icons, 'tray', `${state}-${tint}.png`));
  }
}

function tauriIcon(source, out, ...more) {
  mkdirSync(out, { recursive: true });
  const cli = join(ui, 'node_modules', '@tauri-apps', 'cli', 'tauri.js');
  execFileSync(process.execPath, [cli, 'icon', source, '--output', out, ...more], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}
