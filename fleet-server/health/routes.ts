/** The health of a device over time, for charts. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { Clock } from '#fleet-server/clock.ts';
import { deviceNotFound, FleetError } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { DeviceId, Timestamp } from '#protocol/identifiers.ts';
import { HealthHistory } from '#protocol/model/device.ts';

const Params = Type.Object({ id: DeviceId });
const Query = Type.Object({
  from: Type.Optional(Timestamp),
  to: Type.Optional(Timestamp),
  stepS: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
});
const defaultRangeMs = 3_600_000;
/** Without `stepS` a chart of this many points is drawn. */
const defaultPoints = 240;
const maxPoints = 10_000;

export const healthRoutes: FastifyPluginAsyncTypebox<{ readonly clock: Clock }> = async (app, { clock }) => {
  app.get(
    '/devices/:id/health',
    {
      schema: {
        tags: ['devices'],
        summary: 'Means and extremes over steps of `stepS` seconds, or of the finest that is kept for so long; the last hour unless told',
        params: Params,
        querystring: Query,
        response: { 200: HealthHistory, ...problemAnswers },
      },
      preHandler: app.requireRole('viewer'),
    },
    async (request) => {
      const { id: deviceId } = request.params;
      if (!app.devices.isKnown(deviceId)) throw deviceNotFound(deviceId);
      const { from, to, stepS } = request.query;
      const toMs = to === undefined ? clock.nowMs() : Date.parse(to);
      const fromMs = from === undefined ? toMs - defaultRangeMs : Date.parse(from);
      // Written so that a time that fits its pattern and is none (NaN) is refused as well.
      if (!(fromMs < toMs)) throw wrongRange('from', 'a time before `to`');
      const step = stepS ?? Math.max(10, Math.ceil((toMs - fromMs) / 1000 / defaultPoints));
      if ((toMs - fromMs) / 1000 / step > maxPoints) throw wrongRange('stepS', `a step that gives at most ${maxPoints} points`);
      return app.health.query({ deviceId, fromMs, toMs, stepS: step });
    },
  );
};

function wrongRange(key: string, expected: string): FleetError {
  return new FleetError('wrong-fields', `Expected in ${key} ${expected}.`, {
    problems: [{ key: `querystring/${key}`, expected, came: 'something else' }],
  });
}
