import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import App from '../src/App.svelte';
import type { MessageView, NodeStatus, TrialView } from '../src/lib/api/types';
import { arrivals } from '../src/lib/trial';
import { FakeHost, type Routes } from './fakeHost';
import { message, peer, refused, status } from './fixtures';

const fresh = (over: Partial<NodeStatus> = {}) =>
  status({ welcomed: false, counts: { peers: 0, queued: 0, unconfirmed: 0, unread: 0 }, ...over });

function open(routes: Routes = {}) {
  location.hash = '';
  const host = new FakeHost({
    'GET /control/status': () => fresh(),
    'GET /control/peers': () => [],
    'GET /control/trial': () => ({ state: 'off' }),
    ...routes,
  });
  render(App, { host });
  return host;
}

const button = (name: string | RegExp) => screen.findByRole('button', { name });
const asked = (host: FakeHost) => host.asked.map(({ method, path }) => `${method} ${path}`);

describe('the welcome', () => {
  it('comes first, says where secrets are kept, and leads on', async () => {
    open();
    expect((await screen.findByTestId('vault')).textContent).toBe('Secret Service');
    const join = screen.getByRole('link', { name: /^Join with a link/ });
    expect(join.getAttribute('href')).toBe('#/pair/join');
  });

  it('does not come where somebody is paired or it was skipped', async () => {
    open({ 'GET /control/status': () => fresh({ welcomed: true }) });
    await screen.findByText(/No machine is paired/);
    expect(screen.queryByText('Welcome to Tieline')).toBeNull();
  });

  it('is skipped for good', async () => {
    let welcomed = false;
    const host = open({
      'GET /control/status': () => fresh({ welcomed }),
      'POST /control/welcomed': () => ((welcomed = true), undefined),
    });
    await fireEvent.click(await button('Skip this page from now on'));
    await screen.findByText(/No machine is paired/);
    expect(asked(host)).toContain('POST /control/welcomed');
  });

  it('renames this machine, and keeps what is typed when the status comes again', async () => {
    let name = 'mac';
    const host = open({
      'GET /control/status': () => fresh({ name }),
      'POST /control/name': (body) => ((name = (body as { name: string }).name), undefined),
    });
    const field = (await screen.findByLabelText('Name of this machine')) as HTMLInputElement;
    await waitFor(() => expect(field.value).toBe('mac'));
    await fireEvent.input(field, { target: { value: 'desk' } });
    host.emit('status');
    await new Promise((done) => setTimeout(done, 30));
    expect(field.value).toBe('desk');
    await fireEvent.click(await button('Save name'));
    await screen.findByText('Saved.');
    expect(host.asked.find(({ path }) => path === '/control/name')?.body).toEqual({ name: 'desk' });
  });
});

describe('trying it here', () => {
  it('starts a visitor, breaks its line with the reason, says what waits, and leaves nothing', async () => {
    let trial: TrialView = { state: 'off' };
    let waiting = 0;
    const on: TrialView = { state: 'running', peer: 'visitor', address: '127.0.0.1:4100', command: 'curl -s http://127.0.0.1:3847/' };
    const view = () =>
      trial.state === 'unplugged'
        ? peer({ name: 'visitor', trial: true, queued: waiting, line: { out: { state: 'failed', problem: refused('127.0.0.1:4100') }, in: { state: 'unknown' } } })
        : peer({ name: 'visitor', trial: true });
    const host = open({
      'GET /control/trial': () => trial,
      'POST /control/trial': () => (trial = on),
      'POST /control/trial/unplug': () => (trial = { ...on, state: 'unplugged' }),
      'POST /control/trial/plug': () => (trial = on),
      'DELETE /control/trial': () => ((trial = { state: 'off' }), undefined),
      'GET /control/peers/visitor': () => view(),
      'GET /control/messages': () => ({ messages: [] }),
      'POST /control/send': () => ((waiting = 1), { ok: true, messageId: 'm-1', status: 'queued', attempts: [] }),
    });
    await fireEvent.click(await button(/^Try it here/));
    expect((await screen.findByRole('region', { name: /^Command/ })).textContent).toBe(on.command);
    await fireEvent.click(await button('Unplug'));
    await screen.findByText('127.0.0.1:4100 refused the connection');
    await fireEvent.click(await button('Send one from here'));
    host.emit('messages', ['m-1']);
    await screen.findByText(/1 message waits here/);
    await fireEvent.click(await button('Plug in'));
    await button('Unplug');
    await fireEvent.click(await button(/^Finish/));
    await screen.findByText('The trial is over. Nothing of it is left.');
    await button(/^Try it here/);
  });

  it('counts a message as travelled once it is delivered', () => {
    const messages: MessageView[] = [
      message({ messageId: 'a', state: 'delivered' }),
      message({ messageId: 'b', state: 'queued' }),
      message({ messageId: 'c', direction: 'in', state: 'new' }),
    ];
    expect([...arrivals(messages)]).toEqual(['a']);
  });
});
