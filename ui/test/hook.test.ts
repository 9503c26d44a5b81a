import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import App from '../src/App.svelte';
import type { BrakeView, HookView } from '../src/lib/api/types';
import { hookDraft, hookOf } from '../src/lib/hook';
import { FakeHost, type Routes } from './fakeHost';
import { peer, refused, status } from './fixtures';

function open(hook: () => HookView, routes: Routes = {}) {
  location.hash = '#/peers/wsl-box';
  const host = new FakeHost({
    'GET /control/status': () => status(),
    'GET /control/peers': () => [peer()],
    'GET /control/peers/wsl-box': () => peer(),
    'GET /control/messages': () => ({ messages: [] }),
    'GET /control/brakes': () => [],
    'GET /control/responder': () => ({ kind: 'nobody' }),
    'GET /control/peers/wsl-box/hook': hook,
    ...routes,
  });
  render(App, { host });
  return host;
}

const none: HookView = { peer: 'wsl-box', hook: { kind: 'none' }, isDefault: true, waiting: 0, givenUp: 0 };
const button = (name: string | RegExp) => screen.findByRole('button', { name });
const sent = (host: FakeHost, path: string) => host.asked.find((one) => `${one.method} ${one.path}` === path)?.body;

describe('hooks', () => {
  it('keeps a command as its words, one a line, and tries it before it is saved', async () => {
    const words = { kind: 'command', argv: ['python3', '/agent me.py', '$(id)'], timeoutSeconds: 30 };
    const host = open(() => none, {
      'POST /control/peers/wsl-box/hook/try': () => ({ ok: true, tookMs: 12.4, output: '<b>done</b>' }),
      'PUT /control/peers/wsl-box/hook': (body) => ({ ...none, hook: body, isDefault: false }),
    });
    await fireEvent.click(await screen.findByRole('radio', { name: 'A command' }));
    await fireEvent.input(await screen.findByLabelText(/Program and arguments/), {
      target: { value: 'python3\n/agent me.py\n$(id)\n' },
    });
    await fireEvent.click(await button('Try it'));
    expect((await screen.findByTestId('hook-tried')).textContent).toContain('12 ms');
    expect(await screen.findByText('<b>done</b>')).toBeTruthy();
    expect(sent(host, 'POST /control/peers/wsl-box/hook/try')).toEqual({ hook: words });
    const settings = await screen.findByTestId('hook-settings');
    await fireEvent.click([...settings.querySelectorAll('button')].find((one) => one.textContent === 'Save')!);
    await waitFor(() => expect(sent(host, 'PUT /control/peers/wsl-box/hook')).toEqual(words));
  });

  it('says why messages were given up, and takes them up again on a click', async () => {
    const failing = { ...none, hook: { kind: 'command' as const, argv: ['x'] }, isDefault: false, givenUp: 2, lastProblem: refused() };
    const host = open(() => failing, { 'POST /control/peers/wsl-box/hook/retry': () => none });
    await screen.findByText(/2 messages given up after too many tries/);
    await fireEvent.click(await button('Retry'));
    await waitFor(() => expect(host.asked.some(({ path }) => path.endsWith('/hook/retry'))).toBe(true));
  });

  it('asks the person at a spent budget', async () => {
    const brake: BrakeView = { peer: 'wsl-box', kind: 'handovers', used: 60, limit: 60, waiting: true };
    const host = open(() => ({ ...none, waiting: 3 }), {
      'GET /control/brakes': () => [brake],
      'POST /control/brakes': () => undefined,
    });
    const asked = await screen.findByTestId('hook-brake');
    expect(asked.textContent).toContain('60 messages handed over within the hour');
    await fireEvent.click(asked.querySelector('button')!);
    await waitFor(() =>
      expect(sent(host, 'POST /control/brakes')).toEqual({ peer: 'wsl-box', kind: 'handovers', allow: true }),
    );
  });

  it('leaves a webhook without a secret unsigned', () => {
    const hook = { kind: 'webhook' as const, url: 'http://127.0.0.1:1/', timeoutSeconds: 5 };
    expect(hookOf(hookDraft(hook))).toEqual(hook);
    expect(hookOf({ ...hookDraft(hook), secret: ' s ' })).toEqual({ ...hook, secret: 's' });
  });
});
