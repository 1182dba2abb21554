/** Starts the dashboard. */
import '@mantine/core/styles.css';
import './global.css';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { styleNonce } from './style-nonce.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('Expected an element with the id "root" in index.html, found none.');
createRoot(root).render(<App styleNonce={styleNonce()} />);
