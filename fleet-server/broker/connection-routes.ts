/**
 * A device asks where to connect, with its credential. It does so when the broker has refused it, when nothing is left where it was told
 * to connect, and before it uses a new credential: an external broker that is told each device's credential hears of it here.
 */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { FailureLedger } from '#fleet-server/broker/failure-ledger.ts';
import type { Clock } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { DeviceId } from '#protocol/identifiers.ts';
import { ConnectionAnswer, ConnectionRequest } from '#protocol/model/enrolment.ts';

/** From one address: a venue's devices behind one router, all refused at once. */
const attemptsPerMinute = 600;

export const connectionRoutes: FastifyPluginAsyncTypebox<{ readonly clock: Clock }> = async (app, { clock }) => {
  const failures = new FailureLedger();

  app.post(
    '/devices/:id/connection',
    {
      schema: {
        tags: ['devices'],
        summary: 'A device shows its credential and asks where to connect over MQTT',
        params: Type.Object({ id: DeviceId }),
        body: ConnectionRequest,
        response: { 200: ConnectionAnswer, ...problemAnswers },
      },
      config: { rateLimit: { max: attemptsPerMinute, timeWindow: '1 minute' } },
    },
    async (request) => {
      const { id } = request.params;
      const { credential } = request.body;
      await app.sharedDevices?.lookFor(id);
      if (!app.devices.rights.authenticate(id, credential)) {
        const delayMs = failures.note(request.ip, clock.nowMs());
        await new Promise<void>((resolve) => clock.after(delayMs, resolve));
        if (app.devices.rights.isBlockedWith(id, credential)) {
          throw new FleetError('device-blocked', 'This device is blocked: somebody has to let it in again on its page.');
        }
        throw new FleetError(
          'credential-refused',
          'Expected the credential of this device, got a wrong one, or that of a device that was removed.',
        );
      }
      await app.broker.admit(id, credential);
      return { mqttUrl: app.broker.deviceUrl };
    },
  );
};
