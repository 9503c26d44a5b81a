import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import App from '../src/App.svelte';
import type { Preferences, PreferencesChange, Responder, SecretView } from '../src/lib/api/types';
import { pauseEnd, pauseInWords } from '../src/lib/pause';
import { draftOf, responderOf } from '../src/lib/responder';
import { standingOf } from '../src/lib/standing';
import { applyTheme, chosenTheme, chooseTheme } from '../src/lib/theme';
import { FakeHost, Refusal, type Routes } from './fakeHost';
import { FINGERPRINT, GROUPS, peer, status, WORDS } from './fixtures';

const plain: Preferences = { notifications: { hideText: false }, routeOrder: 'lanFirst', requireToken: false };

function open(hash: string, routes: Routes = {}) {
  location.hash = hash;
  const host = new FakeHost({
    'GET /control/status': () => status(),
    'GET /control/preferences': () => plain,
    'GET /control/responder': () => ({ kind: 'nobody' }),
    'GET /control/kithkit-lan': () => ({}),
    'GET /control/brakes': () => [],
    'GET /control/messages': () => ({ messages: [] }),
    'GET /control/peers/wsl-box/hook': () => ({
      peer: 'wsl-box', hook: { kind: 'none' }, isDefault: true, waiting: 0, givenUp: 0,
    }),
    'GET /control/peers/wsl-box': () => peer(),
    ...routes,
  });
  render(App, { host });
  return host;
}

const button = (name: string | RegExp) => screen.findByRole('button', { name });
const body = (host: FakeHost, method: string, path: string) =>
  host.asked.find((one) => one.method === method && one.path === path)?.body;

describe('secrets', () => {
  const kept: SecretView = { name: 'agent-key', backend: 'file', createdAt: '2026-01-02T12:00:00.000Z' };

  it('fetches a value only when it is asked for, copies it as a secret, and hides it again', async () => {
    const host = open('#/secrets', {
      'GET /control/secrets': () => [kept],
      'POST /control/secrets/agent-key/reveal': () => ({ value: 'hunter2' }),
    });
    const show = await button('Show agent-key');
    expect(host.asked.some(({ path }) => path.includes('reveal'))).toBe(false);
    await fireEvent.click(show);
    expect((await screen.findByTestId('secret-value')).textContent).toBe('hunter2');
    await fireEvent.click(await button('Copy'));
    expect(host.copied).toEqual([{ text: 'hunter2', secret: true }]);
    await fireEvent.click(await button('Hide agent-key'));
    expect(screen.queryByTestId('secret-value')).toBeNull();
    expect(document.body.textContent).not.toContain('hunter2');
  });

  it('adds one, refuses a name that is taken, and deletes only after a second word', async () => {
    let all: SecretView[] = [];
    const host = open('#/secrets', {
      'GET /control/secrets': () => all,
      'PUT /control/secrets/agent-key': () => ((all = [kept]), undefined),
      'DELETE /control/secrets/agent-key': () => ((all = []), undefined),
    });
    await screen.findByTestId('no-secrets');
    await fireEvent.input(screen.getByLabelText('Name'), { target: { value: 'agent-key' } });
    await fireEvent.input(screen.getByLabelText('Value'), { target: { value: 'v' } });
    await fireEvent.click(await button('Add'));
    await screen.findByTestId('secret');
    expect(body(host, 'PUT', '/control/secrets/agent-key')).toEqual({ value: 'v' });
    await fireEvent.input(screen.getByLabelText('Name'), { target: { value: 'agent-key' } });
    await screen.findByText(/kept already/);
    await fireEvent.click(await button('Delete agent-key'));
    expect(all).toHaveLength(1);
    await fireEvent.click((await screen.findAllByRole('button', { name: 'Delete agent-key' })).at(-1)!);
    await screen.findByTestId('no-secrets');
  });

  it('says why a value is not shown', async () => {
    open('#/secrets', {
      'GET /control/secrets': () => [kept],
      'POST /control/secrets/agent-key/reveal': () => {
        throw new Refusal(403, { code: 'NOT_FROM_BROWSER', summary: 'Not from a browser.', cause: 'c', remedy: 'Use the app.' });
      },
    });
    await fireEvent.click(await button('Show agent-key'));
    await screen.findByText('Use the app.');
  });
});

describe('settings', () => {
  afterEach(() => chooseTheme('system'));

  it('changes one preference at a time, and shows what holds until it did', async () => {
    let now = plain;
    const host = open('#/settings', {
      'GET /control/preferences': () => now,
      'PATCH /control/preferences': (change) => {
        const { notifications, ...rest } = change as PreferencesChange;
        now = { ...now, ...rest, notifications: { ...now.notifications, ...notifications } } as Preferences;
        return now;
      },
    });
    const require = await screen.findByRole('switch', { name: 'Require the token for everything' });
    await fireEvent.click(require);
    await waitFor(() => expect((require as HTMLInputElement).checked).toBe(true));
    expect(body(host, 'PATCH', '/control/preferences')).toEqual({ requireToken: true });
    const quiet = screen.getByRole('switch', { name: 'Quiet hours' });
    await waitFor(() => expect((quiet as HTMLInputElement).disabled).toBe(false));
    await fireEvent.click(quiet);
    expect(((await screen.findByLabelText('From')) as HTMLInputElement).value).toBe('22:00');
  });

  it('deletes older messages only after a second step', async () => {
    const host = open('#/settings', { 'PATCH /control/preferences': () => plain });
    const keep = await screen.findByLabelText('Keep what messages say for');
    await fireEvent.change(keep, { target: { value: '30' } });
    expect(body(host, 'PATCH', '/control/preferences')).toBeUndefined();
    await fireEvent.click(await button('Delete what is older'));
    await waitFor(() => expect(body(host, 'PATCH', '/control/preferences')).toEqual({ retentionDays: 30 }));
  });

  it('shows the token on a click, and the new one after replacing it', async () => {
    const host = open('#/settings', {
      'GET /control/token': () => ({ token: 'tl_old' }),
      'POST /control/token/rotate': () => ({ token: 'tl_new' }),
    });
    await button('Show token');
    expect(host.asked.some(({ path }) => path === '/control/token')).toBe(false);
    await fireEvent.click(await button('Show token'));
    await screen.findByText('tl_old');
    await fireEvent.click(await button('Replace token'));
    await screen.findByText('tl_new');
  });

  it('keeps the theme for the next time', async () => {
    open('#/settings');
    await fireEvent.click(await screen.findByRole('radio', { name: 'Dark' }));
    expect([document.documentElement.dataset.theme, chosenTheme()]).toEqual(['dark', 'dark']);
    applyTheme('system');
    expect(document.documentElement.dataset.theme).toBeUndefined();
  });
});

describe('a peer, changed', () => {
  it('is renamed, muted and moved', async () => {
    let view = peer();
    const host = open('#/peers/wsl-box', {
      'GET /control/peers/wsl-box': () => view,
      'GET /control/peers/box': () => ({ ...view, name: 'box' }),
      'PATCH /control/peers/wsl-box': (change) => (view = { ...view, ...(change as { muted: boolean }) }),
      'POST /control/peers/wsl-box/addresses': (change) => (view = { ...view, ...(change as { addresses: string[] }) }),
      'POST /control/peers/wsl-box/rename': () => ({ ...view, name: 'box' }),
    });
    await fireEvent.click(await screen.findByRole('switch', { name: 'Mute' }));
    await screen.findByText('muted');
    await fireEvent.input(screen.getByLabelText(/^Addresses to dial/), { target: { value: '10.0.0.9:3100\n' } });
    await fireEvent.click(await button('Save addresses'));
    await screen.findByText(/looked for there/);
    expect(body(host, 'POST', '/control/peers/wsl-box/addresses')).toEqual({ addresses: ['10.0.0.9:3100'] });
    await fireEvent.input(screen.getByLabelText('Name here'), { target: { value: 'box' } });
    await fireEvent.click(await button('Rename'));
    await waitFor(() => expect(location.hash).toBe('#/peers/box'));
  });

  it('takes new keys only once they were compared', async () => {
    const host = open('#/peers/wsl-box', {
      'GET /control/peers/wsl-box': () => peer({ state: 'newKey' }),
      'POST /control/swap/read': () => ({
        form: 'card', suggestedAlias: 'x', addresses: [], fingerprint: FINGERPRINT, fingerprintGroups: GROUPS, words: WORDS,
        certificateIsFetched: false, isOwn: false,
      }),
      'POST /control/compare': () => ({ fingerprint: FINGERPRINT, fingerprintGroups: GROUPS, words: WORDS, isOwn: false, same: true }),
      'POST /control/peers/wsl-box/renew': () => peer(),
    });
    await fireEvent.input(await screen.findByLabelText('New card of wsl-box'), { target: { value: 'a card' } });
    const use = await button('Use these keys for wsl-box');
    expect(use.hasAttribute('disabled')).toBe(true);
    await fireEvent.input(screen.getByLabelText('As wsl-box shows it'), { target: { value: FINGERPRINT } });
    await waitFor(() => expect(use.hasAttribute('disabled')).toBe(false));
    await fireEvent.click(use);
    await screen.findByText(/known by its new keys/);
    expect(body(host, 'POST', '/control/peers/wsl-box/renew')).toEqual({ text: 'a card' });
  });

  it('has its questions answered by what is chosen, and more let through on a word', async () => {
    const brake = { peer: 'wsl-box', kind: 'asksIn', used: 30, limit: 30, waiting: true };
    const host = open('#/peers/wsl-box', {
      'PUT /control/responder': () => undefined,
      'GET /control/brakes': () => [brake, { ...brake, kind: 'asksOut', used: 0, waiting: false }],
      'POST /control/brakes': () => undefined,
    });
    await fireEvent.click(await screen.findByRole('radio', { name: 'A program' }));
    await fireEvent.input(screen.getByLabelText(/^Answering program/), { target: { value: '/usr/bin/answer\n--brief\n' } });
    await fireEvent.click(await button('Save who answers'));
    await waitFor(() =>
      expect(body(host, 'PUT', '/control/responder?peer=wsl-box')).toEqual({
        kind: 'command', argv: ['/usr/bin/answer', '--brief'], timeoutSeconds: 120,
      }),
    );
    expect(screen.getAllByTestId('brake')).toHaveLength(1);
    await fireEvent.click(await button('Allow 10 more'));
    expect(body(host, 'POST', '/control/brakes')).toEqual({ peer: 'wsl-box', kind: 'asksIn', allow: true });
  });
});

describe('in words', () => {
  it('a responder survives being edited and not changed', () => {
    const all: Responder[] = [
      { kind: 'nobody' },
      { kind: 'person', deadlineSeconds: 60 },
      { kind: 'command', argv: ['/bin/cat', '-n'], timeoutSeconds: 5 },
      { kind: 'endpoint', url: 'http://127.0.0.1:11434/v1', model: 'm', timeoutSeconds: 9 },
    ];
    for (const one of all) expect(responderOf(draftOf(one))).toEqual(one);
  });

  it('a pause ends in an hour or in the morning, and says when', () => {
    const noon = new Date(2026, 0, 5, 12, 0).getTime();
    expect(pauseInWords(pauseEnd('hour', noon), noon)).toBe('Paused until 13:00.');
    expect(pauseInWords(pauseEnd('tomorrow', noon), noon)).toBe('Paused until tomorrow 08:00.');
    expect(pauseInWords(pauseEnd('hour', noon), noon + 3_600_000)).toBeUndefined();
  });

  it('an unencrypted way is named, and rights grow with Keep', () => {
    expect(standingOf(peer({ dialect: 'kithkit' })).warning).toBe('not encrypted');
    const joined = standingOf(peer({ state: 'joined' }));
    const kept = standingOf(peer());
    expect(kept.may.length).toBeGreaterThan(joined.may.length);
    expect(standingOf(peer({ state: 'newKey' })).may).toEqual([]);
  });
});
