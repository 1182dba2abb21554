/** The dashboard's build. In development, requests to the fleet server go to FLEET_HTTP_PORT on this machine. */
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const fleetServer = `http://127.0.0.1:${process.env.FLEET_HTTP_PORT ?? '8080'}`;

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // The content security policy allows no data: script, font or style sheet: nothing is inlined.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
  },
  server: { proxy: { '/api': fleetServer, '/hls': fleetServer } },
});
