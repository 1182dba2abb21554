/**
 * No other site may act through a signed-in browser. Beside the cookie's SameSite=Strict, each request under /api that changes something must say that it comes
 * from our own pages. Browsers always say where such a request comes from; programs (curl, fetch in Node) say nothing and are let through,
 * as they carry no one else's cookie.
 */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { FleetError } from '#fleet-server/errors.ts';

export type RequestOrigin = {
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly host: string | undefined;
};

export function isOwnOrigin({ origin, fetchSite, host }: RequestOrigin, publicUrl: string | null): boolean {
  // Pages cannot forge it; it is absent on plain HTTP to other names than localhost.
  if (fetchSite !== undefined) return fetchSite === 'same-origin' || fetchSite === 'none';
  if (origin === undefined) return true;
  if (publicUrl !== null && origin === publicUrl) return true;
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

const readingMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

async function originCheck(app: FastifyInstance, options: { readonly publicUrl: string | null }): Promise<void> {
  app.addHook('onRequest', async (request) => {
    if (readingMethods.includes(request.method) || !request.url.startsWith('/api/')) return;
    const { origin, host } = request.headers;
    const fetchSite = request.headers['sec-fetch-site'];
    if (isOwnOrigin({ origin, host, fetchSite: Array.isArray(fetchSite) ? fetchSite[0] : fetchSite }, options.publicUrl)) return;
    throw new FleetError('foreign-origin', 'Expected a request from the dashboard itself, got one from another site.');
  });
}

export const originCheckPlugin = fastifyPlugin(originCheck, { name: 'origin-check' });
