/** Reading the audit log. There is no route that changes it. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { AuditPage } from '#protocol/model/audit.ts';

const defaultLimit = 100;
const Query = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: defaultLimit })),
  before: Type.Optional(Type.Integer({ minimum: 1, description: 'The `next` of the page before' })),
  subject: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'A device’s id, a group’s or a person’s name' })),
});

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
    ({ query: { limit = defaultLimit, before = null, subject = null } }) => app.audit.page(app.store.database, { limit, before, subject }),
  );
};
