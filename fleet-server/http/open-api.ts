/** The API described by itself, drawn from the schemas of the routes. */
import swagger from '@fastify/swagger';
import { Type } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

async function openApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'MakeSpaceLive fleet server',
        description:
          'Sign in with POST /api/v1/session; the cookie that it sets opens the rest. Programs send an access token as a bearer token instead.',
        version: '1',
      },
      components: {
        securitySchemes: {
          session: { type: 'apiKey', in: 'cookie', name: 'msl-session' },
          accessToken: { type: 'http', scheme: 'bearer' },
        },
      },
      security: [{ session: [] }, { accessToken: [] }],
    },
  });
  app.get('/api/openapi.json', { schema: { hide: true, response: { 200: Type.Record(Type.String(), Type.Unknown()) } } }, async () =>
    app.swagger(),
  );
}

export const openApiPlugin = fastifyPlugin(openApi, { name: 'open-api' });
