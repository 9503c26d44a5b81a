import { mount } from 'svelte';
import App from './App.svelte';
import './tokens.css';
import './base.css';
import { detectHost } from './lib/host';

const target = document.getElementById('app');
if (target) mount(App, { target, props: { host: detectHost() } });
