/**
 * Guards what is stored against messages that arrive in the wrong order: of two, the newer one by (era, session, sequence) has the last
 * word, whichever server hears it and whenever.
 */
import { sql } from 'kysely';
import type { SessionPosition } from '#fleet-server/devices/live-device.ts';
import type { Database } from '#fleet-server/store/schema.ts';

/**
 * `hello` and `report`: what they store. `outcome`: what became of a revision. `in-force`: which revision the device says is in force, which
 * all three say.
 */
export type PositionSubject = 'hello' | 'report' | 'outcome' | 'in-force';
export type MessagePosition = Pick<SessionPosition, 'era' | 'counter'> & { readonly sequence: number };

/** In the transaction of what it guards: false when something newer has been stored already. */
export async function advance(
  transaction: Database,
  deviceId: string,
  subject: PositionSubject,
  { era, counter, sequence }: MessagePosition,
): Promise<boolean> {
  const result = await transaction
    .insertInto('devicePositions')
    .values({ deviceId, subject, era, counter, sequence })
    .onConflict((c) =>
      c
        .columns(['deviceId', 'subject'])
        .doUpdateSet({ era, counter, sequence })
        .where(
          sql<boolean>`("devicePositions"."era", "devicePositions"."counter", "devicePositions"."sequence") < (${era}, ${counter}, ${sequence})`,
        ),
    )
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}
