/** What a browser may do with our pages: nothing but what the dashboard needs. */
import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

async function securityHeaders(app: FastifyInstance, options: { readonly isHttps: boolean }): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        // Mantine sets style attributes and a style element of its own; no script can come in that way.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'blob:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        // hls.js feeds the player from memory and demuxes in a worker made from a blob.
        mediaSrc: ["'self'", 'blob:'],
        workerSrc: ["'self'", 'blob:'],
        manifestSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    // Only where HTTPS is known to be there: on plain HTTP browsers ignore it, and the policies below warn in the console.
    strictTransportSecurity: options.isHttps ? { maxAge: 15_552_000 } : false,
    crossOriginOpenerPolicy: options.isHttps,
    originAgentCluster: options.isHttps,
    referrerPolicy: { policy: 'no-referrer' },
    frameguard: { action: 'deny' },
  });
}

export const securityHeadersPlugin = fastifyPlugin(securityHeaders, { name: 'security-headers' });
