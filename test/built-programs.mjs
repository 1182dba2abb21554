/** Before the tests that start the agent or the fleet server: both are bundled from the sources as they are now. */
import { buildAgent, buildFleetServer } from '../setup/install.mjs';

export async function setup() {
  await buildAgent();
  await buildFleetServer();
}
