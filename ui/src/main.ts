import { mount } from 'svelte';
import App from './App.svelte';
import './tokens.css';
import './base.css';
import { detectHost } from './lib/host';
import { applyTheme, chosenTheme } from './lib/theme';

applyTheme(chosenTheme());

const target = document.getElementById('app');
if (target) mount(App, { target, props: { host: detectHost() } });
