/** What a browser may do with our pages: nothing but what the dashboard needs. */
import { randomBytes } from 'node:crypto';
import helmet from '@fastify/helmet';
import type { FastifyInstance, FastifyReply } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyReply {
    /** Style elements with this nonce have effect in the page that is answered. Made anew each time. */
    allowStyleElements(): string;
  }
}

const nonceBytes = 16;

function policyWith(...styles: readonly string[]) {
  return {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", ...styles],
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
  };
}

async function securityHeaders(app: FastifyInstance, options: { readonly isHttps: boolean }): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: policyWith(),
    // Only where HTTPS is known to be there: on plain HTTP browsers ignore it, and the policies below warn in the console.
    strictTransportSecurity: options.isHttps ? { maxAge: 15_552_000 } : false,
    crossOriginOpenerPolicy: options.isHttps,
    originAgentCluster: options.isHttps,
    referrerPolicy: { policy: 'no-referrer' },
    frameguard: { action: 'deny' },
  });
  app.decorateReply('allowStyleElements', function (this: FastifyReply) {
    const nonce = randomBytes(nonceBytes).toString('base64');
    this.helmet({ contentSecurityPolicy: policyWith(`'nonce-${nonce}'`) });
    return nonce;
  });
}

export const securityHeadersPlugin = fastifyPlugin(securityHeaders, { name: 'security-headers' });
