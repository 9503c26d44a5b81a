/**
 * The real pages over made-up answers, for looking at states that are hard to bring about:
 * `npm run dev`, then /preview/?scene=NAME#/page. Not part of the build.
 */
import { mount } from 'svelte';
import App from '../src/App.svelte';
import '../src/tokens.css';
import '../src/base.css';
import { FakeHost } from '../test/fakeHost';
import { scenes } from './scenes';

const name = new URLSearchParams(location.search).get('scene') ?? 'two';
const target = document.getElementById('app');
const scene = scenes[name];
if (target && scene) {
  const host = new FakeHost(scene());
  if (name === 'slow') host.delayMs = 3600_000;
  mount(App, { target, props: { host } });
}
