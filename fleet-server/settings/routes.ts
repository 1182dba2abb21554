/** Settings of the fleet, of a group, of a device. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { DeviceId } from '#protocol/identifiers.ts';
import { DeviceSettings, LevelSettings, SettingsPatch } from '#protocol/model/settings.ts';

const tags = ['settings'];
const DeviceParams = Type.Object({ id: DeviceId });
const GroupParams = Type.Object({ name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,39}$' }) });

export const settingsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const viewer = app.requireRole('viewer');
  const operator = app.requireRole('operator', 'settings');

  app.get(
    '/devices/:id/settings',
    {
      schema: {
        tags,
        summary: 'Each setting of a device, its level and its state',
        params: DeviceParams,
        response: { 200: DeviceSettings, ...problemAnswers },
      },
      preHandler: viewer,
    },
    (request) => app.settings.ofDevice(request.params.id),
  );
  app.patch(
    '/devices/:id/settings',
    {
      schema: {
        tags,
        summary: 'Sets (or with null unsets) settings of a device',
        params: DeviceParams,
        body: SettingsPatch,
        response: { 200: DeviceSettings, ...problemAnswers },
      },
      preHandler: operator,
    },
    async (request) => {
      await app.settings.patch({ level: 'device', scope: request.params.id }, request.body, request.actor);
      return app.settings.ofDevice(request.params.id);
    },
  );

  app.get(
    '/fleet/settings',
    {
      schema: { tags, summary: 'What is set for the whole fleet', response: { 200: LevelSettings, ...problemAnswers } },
      preHandler: viewer,
    },
    () => app.settings.ofLevel('fleet', ''),
  );
  app.patch(
    '/fleet/settings',
    {
      schema: {
        tags,
        summary: 'Sets settings for the whole fleet',
        body: SettingsPatch,
        response: { 200: LevelSettings, ...problemAnswers },
      },
      preHandler: operator,
    },
    async (request) => {
      await app.settings.patch({ level: 'fleet', scope: '' }, request.body, request.actor);
      return app.settings.ofLevel('fleet', '');
    },
  );

  app.get(
    '/groups/:name/settings',
    {
      schema: { tags, summary: 'What is set for a group', params: GroupParams, response: { 200: LevelSettings, ...problemAnswers } },
      preHandler: viewer,
    },
    (request) => app.settings.ofLevel('group', request.params.name),
  );
  app.patch(
    '/groups/:name/settings',
    {
      schema: {
        tags,
        summary: 'Sets settings for a group',
        params: GroupParams,
        body: SettingsPatch,
        response: { 200: LevelSettings, ...problemAnswers },
      },
      preHandler: operator,
    },
    async (request) => {
      await app.settings.patch({ level: 'group', scope: request.params.name }, request.body, request.actor);
      return app.settings.ofLevel('group', request.params.name);
    },
  );
};
