import { getContext, setContext } from 'svelte';
import { createApi, type Api } from '../api/client';
import { EventHub } from '../api/events';
import type { NodeStatus, PendingAsk, Problem } from '../api/types';
import type { Host } from '../host/host';
import { live, type Live } from './live.svelte';
import { linkTo, parseRoute, type Route } from './route';

/** What every page needs: the host, the API, the events, the place shown, the node's status and the time. */
export interface App {
  readonly host: Host;
  readonly api: Api;
  readonly hub: EventHub;
  readonly route: Route;
  readonly status: Live<NodeStatus>;
  /** The peers' questions that wait for the person. */
  readonly asks: Live<PendingAsk[]>;
  /** Why this page, in a browser, is not let in. Nothing else works then. */
  readonly signedOut: Problem | undefined;
  /** Now in Unix milliseconds, ticking once a second. */
  readonly now: number;
  go(route: Route): void;
}

const KEY = Symbol('app');

/** Sets the app up for everything below the calling component, and takes it down with it. */
export function provideApp(host: Host): App {
  let signedOut = $state.raw<Problem | undefined>();
  const api = createApi(host, (problem) => (signedOut ??= problem));
  const hub = new EventHub(host);
  let route = $state.raw(parseRoute(location.hash));
  let now = $state(Date.now());

  hub.onGo = (path) => {
    location.hash = `#${path}`;
    // Also where the address is the same: what is asked for again happens again.
    route = parseRoute(location.hash);
  };

  // Before anything is fetched, so that no change after an answer is missed.
  hub.start();

  $effect(() => {
    const moved = () => (route = parseRoute(location.hash));
    window.addEventListener('hashchange', moved);
    const ticking = setInterval(() => (now = Date.now()), 1000);
    return () => {
      hub.stop();
      clearInterval(ticking);
      window.removeEventListener('hashchange', moved);
    };
  });

  const status = live(hub, ['status', 'peers', 'messages'], api.status);
  const asks = live(hub, ['asks', 'messages'], api.pendingAsks);
  const app: App = {
    host,
    api,
    hub,
    status,
    asks,
    get route() {
      return route;
    },
    get now() {
      return now;
    },
    get signedOut() {
      return signedOut;
    },
    go(to) {
      location.hash = linkTo(to);
    },
  };
  setContext(KEY, app);
  return app;
}

export function useApp(): App {
  return getContext<App>(KEY);
}
