/**
 * `admin-password`: gives `admin` a new password, from FLEET_ADMIN_PASSWORD or made here, and prints it. The sessions and access tokens of
 * `admin` end, and who had been given another role is an admin again. Works while the server runs.
 */
import { AuditLog } from '#fleet-server/audit/audit-log.ts';
import { systemClock } from '#fleet-server/clock.ts';
import type { Configuration } from '#fleet-server/configuration.ts';
import { People } from '#fleet-server/people/people.ts';
import { withStore } from '#fleet-server/process/with-store.ts';

export async function printAdminPassword(configuration: Configuration): Promise<void> {
  await withStore(configuration, async ({ store, secrets }) => {
    const people = new People({
      database: store.database,
      secrets,
      clock: systemClock,
      audit: new AuditLog({ clock: systemClock, log: null }),
    });
    const { password, endedAccessTokens, formerRole } = await people.resetFirstPerson(configuration.adminPassword);
    process.stdout.write(`${password}\n`);
    // Not beside the password: programs read that.
    if (endedAccessTokens > 0) process.stderr.write(`Access tokens of admin that have ended: ${endedAccessTokens}.\n`);
    if (formerRole !== null) process.stderr.write(`admin is an admin again; the role was ${formerRole}.\n`);
  });
}
