/** Reading the audit log. There is no route that changes it. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { FleetError } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { Timestamp } from '#protocol/identifiers.ts';
import { AuditPage } from '#protocol/model/audit.ts';

const defaultLimit = 100;
const Query = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: defaultLimit })),
  before: Type.Optional(Type.Integer({ minimum: 1, description: 'The `next` of the page before' })),
  subject: Type.Optional(
    Type.String({ minLength: 1, maxLength: 100, description: 'What it was done to: a device’s id or name, a group’s or a person’s name' }),
  ),
  actor: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Who did it, with whichever of their tokens' })),
  action: Type.Optional(Type.String({ pattern: '^[a-z][a-z-]{0,39}$', description: 'What was done, such as settings-changed' })),
  from: Type.Optional(Timestamp),
  to: Type.Optional({ ...Timestamp, description: 'Before this moment' }),
});
/** Devices of one name; more are not looked for. */
const maxNamesakes = 50;

export const auditRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/audit-log',
    {
      schema: {
        tags: ['audit log'],
        summary: 'Who changed what, newest first, a page at a time',
        querystring: Query,
        response: { 200: AuditPage, ...problemAnswers },
      },
      preHandler: app.requireRole('admin'),
    },
    ({ query: { limit = defaultLimit, before = null, subject, actor = null, action = null, from, to } }) => {
      const [fromMs, toMs] = [momentOf('from', from), momentOf('to', to)];
      if (fromMs !== null && toMs !== null && fromMs >= toMs) throw wrongField('from', 'a moment before to', 'a later one');
      const subjects = subject === undefined ? null : [subject, ...app.devices.idsOfName(subject).slice(0, maxNamesakes)];
      return app.audit.page(
        app.store.database,
        { limit, before, subjects, actor, action, fromMs, toMs },
        (deviceId) => app.devices.nameOf(deviceId) ?? null,
      );
    },
  );
};

function momentOf(field: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw wrongField(field, 'a moment that there is', text);
  return ms;
}

function wrongField(field: string, expected: string, came: string): FleetError {
  return new FleetError('wrong-fields', `Expected in ${field} ${expected}, got ${came}.`, {
    problems: [{ key: `querystring/${field}`, expected, came }],
  });
}
