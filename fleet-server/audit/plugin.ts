/** `app.audit`: the log of who changed what. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { AuditLog } from '#fleet-server/audit/audit-log.ts';
import type { Clock } from '#fleet-server/clock.ts';

declare module 'fastify' {
  interface FastifyInstance {
    audit: AuditLog;
  }
}

async function audit(app: FastifyInstance, options: { readonly clock: Clock }): Promise<void> {
  app.decorate('audit', new AuditLog({ ...options, log: app.log }));
}

export const auditPlugin = fastifyPlugin(audit, { name: 'audit', dependencies: ['store'] });
