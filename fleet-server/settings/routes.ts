/** Settings of the fleet, of a group, of a device: what is set, what a change would do, what was changed, and back. */
import { type FastifyPluginAsyncTypebox, Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import type { Scope } from '#fleet-server/settings/settings-store.ts';
import { DeviceId, GroupName } from '#protocol/identifiers.ts';
import {
  Comment,
  DeviceSettings,
  LevelSettings,
  RevisionPage,
  SettingsPatch,
  SettingsPreview,
  UndoRequest,
} from '#protocol/model/settings.ts';

const defaultLimit = 50;
const ChangeQuery = Type.Object({ comment: Type.Optional(Comment) });
const PageQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: defaultLimit })),
  before: Type.Optional(Type.Integer({ minimum: 1, description: 'The `next` of the page before' })),
});
const defaultPreviewed = 20;
const PreviewQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: defaultPreviewed, description: 'Devices in the answer' })),
  skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'The `next` of the page before' })),
});

const RevisionNumber = Type.String({ pattern: '^[1-9][0-9]{0,14}$' });

/** One level: where it is, whose it is, and what it answers. */
type Level = {
  readonly path: string;
  readonly whose: string;
  readonly params: Record<string, typeof DeviceId | typeof GroupName>;
  readonly answer: typeof DeviceSettings | typeof LevelSettings;
  scope(params: Readonly<Record<string, string>>): Scope;
};
const levels: readonly Level[] = [
  { path: '/fleet/settings', whose: 'the whole fleet', params: {}, answer: LevelSettings, scope: () => ({ level: 'fleet', scope: '' }) },
  {
    path: '/groups/:name/settings',
    whose: 'a group',
    params: { name: GroupName },
    answer: LevelSettings,
    scope: ({ name = '' }) => ({ level: 'group', scope: name }),
  },
  {
    path: '/devices/:id/settings',
    whose: 'a device',
    params: { id: DeviceId },
    answer: DeviceSettings,
    scope: ({ id = '' }) => ({ level: 'device', scope: id }),
  },
];

export const settingsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  for (const level of levels) addLevel(app, level);
};

function addLevel(untyped: FastifyInstance, { path, whose, params, answer, scope }: Level): void {
  const app = untyped.withTypeProvider<TypeBoxTypeProvider>();
  const viewer = app.requireRole('viewer');
  const operator = app.requireRole('operator', 'settings');
  const Params = Type.Object(params);
  const about = (summary: string, of = Params) => ({ tags: ['settings'], summary: `${summary} ${whose}`, params: of });
  const read = ({ level, scope: name }: Scope) => (level === 'device' ? app.settings.ofDevice(name) : app.settings.ofLevel(level, name));
  const settings = { 200: answer, ...problemAnswers };
  const previewed = { 200: SettingsPreview, ...problemAnswers };
  const Revision = Type.Object({ ...params, number: RevisionNumber });

  app.get(path, { schema: { ...about('Settings of'), response: settings }, preHandler: viewer }, ({ params: at }) => read(scope(at)));
  app.patch(
    path,
    {
      schema: {
        ...about('Sets (or with null unsets) settings of'),
        querystring: ChangeQuery,
        body: SettingsPatch,
        response: settings,
      },
      preHandler: operator,
    },
    async ({ params: at, body, query, actor }) => {
      await app.settings.patch(scope(at), body, actor, query.comment ?? null);
      return read(scope(at));
    },
  );
  app.post(
    `${path}/preview`,
    {
      schema: {
        ...about('What a patch would change; stores nothing, for'),
        querystring: PreviewQuery,
        body: SettingsPatch,
        response: previewed,
      },
      preHandler: viewer,
    },
    ({ params: at, body, query: { limit = defaultPreviewed, skip = 0 } }) => app.settings.preview(scope(at), body, { skip, limit }),
  );
  app.get(
    `${path}/revisions`,
    {
      schema: {
        ...about('Changes, newest first, of the settings of'),
        querystring: PageQuery,
        response: { 200: RevisionPage, ...problemAnswers },
      },
      preHandler: viewer,
    },
    ({ params: at, query: { limit = defaultLimit, before = null } }) => app.settings.revisions(scope(at), { limit, before }),
  );
  app.post(
    `${path}/revisions/:number/undo`,
    {
      schema: {
        ...about('Sets again what was set before a revision of', Revision),
        body: UndoRequest,
        response: settings,
      },
      preHandler: operator,
    },
    async ({ params: { number, ...at }, body, actor }) => {
      await app.settings.undo(scope(at), Number(number), { ...body, by: actor });
      return read(scope(at));
    },
  );
  app.post(
    `${path}/revisions/:number/undo/preview`,
    {
      schema: {
        ...about('What undoing a revision would change; stores nothing, for', Revision),
        querystring: PreviewQuery,
        body: UndoRequest,
        response: previewed,
      },
      preHandler: viewer,
    },
    ({ params: { number, ...at }, body, query: { limit = defaultPreviewed, skip = 0 } }) =>
      app.settings.previewUndo(scope(at), Number(number), body, { skip, limit }),
  );
}
