/** Light or dark: the system's choice unless the person made one. Kept by the page, for every home on this machine. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'tieline-theme';

export function chosenTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'light' || kept === 'dark' ? kept : 'system';
  } catch {
    // Storage can be switched off; then the system's choice holds.
    return 'system';
  }
}

/** Shows a theme without keeping it. */
export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** Shows a theme and keeps it for the next time. */
export function chooseTheme(theme: Theme): void {
  applyTheme(theme);
  try {
    if (theme === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // It holds until the page is closed.
  }
}
