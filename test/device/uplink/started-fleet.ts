/** A fleet that lets one device in, until the test is over. */
import { onTestFinished } from 'vitest';
import { TestFleet } from './test-fleet.ts';

/** Of `pi-1`. */
export const credential = 'credential-secret-'.padEnd(43, 'x');

export async function startedFleet(): Promise<TestFleet> {
  const fleet = new TestFleet();
  fleet.onEnrolment = () => {
    fleet.credentials.set('pi-1', credential);
    return { status: 201, body: { deviceId: 'pi-1', credential } };
  };
  await fleet.start();
  onTestFinished(() => fleet.crash());
  return fleet;
}
