/** The dashboard's files, and the page that every address of its own answers with. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { FleetError } from '#fleet-server/errors.ts';

/** Addresses that are not pages: what is not there is a problem, not the dashboard. */
const noPages = ['/api', '/internal', '/hls', '/mqtt', '/assets', '/metrics', '/healthz', '/readyz'] as const;

const notBuilt = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>MakeSpaceLive</title>
<h1>The dashboard is not built yet</h1>
<p>Run <code>npm start</code>, or <code>npx vite build fleet-server/web</code>, and start the fleet server again.</p>
</html>
`;

function isPage(request: FastifyRequest): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  const path = request.url.split('?', 1)[0] ?? '/';
  return !noPages.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}

/** In the page, where its style elements' nonce is to stand. */
const noncePlace = '{{style-nonce}}';

async function dashboard(app: FastifyInstance, options: { readonly directory: string }): Promise<void> {
  const pageFile = join(options.directory, 'index.html');
  const isBuilt = existsSync(pageFile);
  if (isBuilt) {
    await app.register(fastifyStatic, {
      root: options.directory,
      wildcard: false,
      index: false,
      globIgnore: ['index.html'],
      cacheControl: false,
      setHeaders: (reply, path) => {
        // Names under assets/ carry a hash of their content.
        const isHashed = path.startsWith(join(options.directory, 'assets'));
        reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  }
  app.setNotFoundHandler(async (request: FastifyRequest, reply: FastifyReply) => {
    if (!isPage(request)) throw new FleetError('not-found', 'There is nothing at this address.');
    if (!isBuilt) return reply.code(503).type('text/html; charset=utf-8').send(notBuilt);
    // Read each time: it may be built anew while the server runs.
    const page = await readFile(pageFile, 'utf8');
    return reply
      .type('text/html; charset=utf-8')
      .header('cache-control', 'no-cache')
      .send(page.replace(noncePlace, reply.allowStyleElements()));
  });
}

export const dashboardPlugin = fastifyPlugin(dashboard, { name: 'dashboard', dependencies: ['security-headers'] });
