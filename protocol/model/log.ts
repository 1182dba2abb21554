/** What a device has sent of its log. */
import { type Static, Type } from 'typebox';

export const DeviceLog = Type.Object({
  lines: Type.Array(Type.Object({ number: Type.Integer(), text: Type.String() })),
  /** To be given as `after` next time. */
  next: Type.Integer(),
});
export type DeviceLog = Static<typeof DeviceLog>;
