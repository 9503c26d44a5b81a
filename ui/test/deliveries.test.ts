import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import App from '../src/App.svelte';
import type { AttemptView, DeliveryView, DiagnosticsView } from '../src/lib/api/types';
import { FakeHost, Refusal, type Routes } from './fakeHost';
import { message, peer, refused, status } from './fixtures';

const failed = (ordinal: number): AttemptView => ({
  ordinal, route: 'lan', status: 'failed', latencyMs: 2, code: 'CONNECT_REFUSED', problem: refused(),
  startedAt: new Date(Date.now() - 60_000 + ordinal).toISOString(), timings: { connectMs: 2 },
});
const arrived: AttemptView = {
  ordinal: 1, route: 'lan', status: 'success', latencyMs: 6, startedAt: new Date().toISOString(),
  timings: { connectMs: 1, tlsMs: 2, authMs: 1, storeMs: 2 },
};
const delivery = (over: Partial<DeliveryView> = {}): DeliveryView => ({
  message: message(), attempts: [arrived], attemptCount: 1,
  receipts: [{ stage: 'stored', at: new Date().toISOString(), storeId: 's', signature: 'x' }],
  ...over,
});

function open(hash: string, routes: Routes = {}) {
  location.hash = hash;
  const host = new FakeHost({
    'GET /control/status': () => status(),
    'GET /control/peers': () => [peer(), peer({ name: 'server' })],
    'GET /control/deliveries': () => ({ deliveries: [delivery()] }),
    ...routes,
  });
  render(App, { host });
  return host;
}

/** What arrived is one line until it is opened. */
async function openIt(one: HTMLElement) {
  const details = one.querySelector('details') as HTMLDetailsElement;
  details.open = true;
  await fireEvent(details, new Event('toggle'));
}

const queries = (host: FakeHost) =>
  host.asked.filter(({ path }) => path.startsWith('/control/deliveries')).map(({ path }) => path.split('?')[1]);

describe('deliveries', () => {
  it('show every try on its axis, and fill a stage only with a signed receipt', async () => {
    open('#/deliveries');
    const one = await screen.findByTestId('delivery');
    expect(within(one).queryByText('Arrived')).toBeNull();
    await openIt(one);
    expect(await within(one).findByText('Arrived')).toBeTruthy();
    for (const segment of ['Connect', 'TLS', 'Auth', 'Store']) expect(within(one).getByText(segment)).toBeTruthy();
    const stages = within(one).getByRole('list', { name: 'Stages' });
    expect([...stages.querySelectorAll('[role=img]')].map((dot) => dot.getAttribute('aria-label'))).toEqual([
      'done', 'signed', 'not yet', 'not yet',
    ]);
  });

  it('say once why try after try failed, and how many there were before', async () => {
    open('#/deliveries', {
      'GET /control/deliveries': () => ({
        deliveries: [
          delivery({ message: message({ state: 'queued', evidence: undefined }), attempts: [4, 5, 6, 7].map(failed), attemptCount: 7, receipts: [] }),
        ],
      }),
    });
    const one = await screen.findByTestId('delivery');
    expect(one.textContent).toContain('4 earlier tries, then the last 3:');
    expect(one.textContent?.split(refused().remedy)).toHaveLength(2);
    expect(within(one).getAllByText(refused().summary)).toHaveLength(3);
  });

  it('are narrowed down by what stands in the address', async () => {
    const host = open('#/deliveries?state=failed');
    await screen.findByTestId('delivery');
    await fireEvent.change(screen.getByLabelText('Peer'), { target: { value: 'server' } });
    await waitFor(() => expect(location.hash).toBe('#/deliveries?peer=server&state=failed'));
    await waitFor(() => expect(queries(host).at(-1)).toBe('peer=server&state=failed&limit=20'));
    await fireEvent.click(screen.getByRole('link', { name: 'Show all' }));
    await waitFor(() => expect(queries(host).at(-1)).toBe('limit=20'));
  });

  it('are tried now or cancelled while they wait', async () => {
    let state: 'queued' | 'failed' = 'queued';
    const host = open('#/deliveries', {
      'GET /control/deliveries': () => ({ deliveries: [delivery({ message: message({ state }), attempts: [], receipts: [] })] }),
      'POST /control/messages/m-1/try': () => undefined,
      'POST /control/messages/m-1/cancel': () => {
        state = 'failed';
        return message({ state });
      },
    });
    await fireEvent.click(await screen.findByRole('button', { name: 'Try now' }));
    await screen.findByText('Being tried.');
    await fireEvent.click(screen.getByRole('button', { name: 'Cancel' }));
    host.emit('messages', ['m-1']);
    await screen.findByRole('button', { name: 'Send again' });
    expect(screen.queryByRole('button', { name: 'Try now' })).toBeNull();
  });

  it('say why an order came too late', async () => {
    open('#/deliveries', {
      'GET /control/deliveries': () => ({ deliveries: [delivery({ message: message({ state: 'queued' }) })] }),
      'POST /control/messages/m-1/cancel': () => {
        throw new Refusal(409, { code: 'TOO_LATE', summary: 'The message cannot be cancelled now.', cause: 'c', remedy: 'Wait.' });
      },
    });
    await fireEvent.click(await screen.findByRole('button', { name: 'Cancel' }));
    await screen.findByText('The message cannot be cancelled now.');
  });

  it('go on with older ones, and offer a first message where there is none', async () => {
    const host = open('#/deliveries', {
      'GET /control/deliveries': (_, query) => ({ deliveries: [delivery()], next: query.get('limit') === '20' ? 1 : undefined }),
    });
    await fireEvent.click(await screen.findByRole('button', { name: 'Show older ones' }));
    await waitFor(() => expect(queries(host).at(-1)).toBe('limit=40'));
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Show older ones' })).toBeNull());
  });

  it('offer a first message where nothing was sent', async () => {
    open('#/deliveries', { 'GET /control/deliveries': () => ({ deliveries: [] }) });
    const link = await screen.findByRole('link', { name: 'Write a message' });
    expect(link.getAttribute('href')).toBe('#/messages');
  });
});

describe('diagnostics', () => {
  const view: DiagnosticsView = {
    name: 'mac', version: '0.1.0', host: 'app', pid: 1, startedAt: new Date().toISOString(), uptimeMs: 1, platform: 'wsl',
    system: 'Debian GNU/Linux 12, kernel 6.1', architecture: 'x86_64', home: '/home/user/tieline',
    addresses: [{ what: 'peers', address: '0.0.0.0:3100' }, { what: 'kithkit' }],
    limits: [{ what: 'Largest message', value: 1_048_576, unit: 'bytes' }],
    vault: { kind: 'file', description: 'file vault, protected by file permissions only' },
    database: { path: '/home/user/tieline/tieline.db', bytes: 41_000_000, logBytes: 0, messages: 100_000, storeId: 'DASG' },
    problems: [], recent: [{ at: new Date().toISOString(), count: 3, peer: 'server', problem: refused() }],
  };
  const routes: Routes = {
    'GET /control/diagnostics': () => view,
    'GET /control/log': () => [{ at: new Date().toISOString(), level: 'warn', target: 't', text: 'messages wait' }],
    'GET /control/diagnostics/report': () => ({ text: 'Tieline 0.1.0 without names' }),
  };

  it('say where the node listens, how much it takes, and what failed', async () => {
    open('#/diagnostics', routes);
    await within(await screen.findByRole('main')).findByText('0.0.0.0:3100');
    screen.getByText('off');
    screen.getByText('1.0 MB');
    screen.getByText('file vault, protected by file permissions only');
    screen.getByText('100,000 messages in 41 MB');
    screen.getByText(/Linux inside Windows/);
    screen.getByText('3 times:');
    await screen.findByText(/messages wait/);
  });

  it('show a report before it is copied', async () => {
    const host = open('#/diagnostics', routes);
    await fireEvent.click(await screen.findByRole('button', { name: 'Make a report' }));
    expect((await screen.findByTestId('report')).textContent).toBe('Tieline 0.1.0 without names');
    expect(host.copied).toEqual([]);
    await fireEvent.click(screen.getByRole('button', { name: 'Copy the report' }));
    expect(host.copied).toEqual([{ text: 'Tieline 0.1.0 without names', secret: false }]);
  });
});
